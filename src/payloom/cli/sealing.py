"""payloom secrets …"""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.failing import ASKED_WRONGLY, FAILED, Failure
from payloom.cli.opening import read_settings, with_runtime
from payloom.cli.output import AsJson, counted, print_facts

if TYPE_CHECKING:
    from payloom.core.key_file import KeyFile
    from payloom.rotation.check import Checked
    from payloom.runtime import Runtime
    from payloom.settings import Settings


def check(as_json: AsJson = False) -> None:
    """Open everything that is sealed, and say under which master keys it is.

    Exits 1 when something does not open, or is sealed under another master key than the newest.
    """

    async def work(rt: "Runtime") -> "Checked":
        from payloom.rotation.check import check, how_much_to_check

        with counted("Opening", await how_much_to_check(rt)) as tell:
            return await check(rt, tell=tell)

    found = with_runtime(work)
    print_facts(
        {
            "good": found.is_good,
            "newest_master_key": found.wanted,
            "in_use": [key.id for key in found.in_use],
            "held": list(found.held),
            "can_be_dropped": list(found.can_drop),
            "data_keys": found.data_keys,
            "secrets": found.secrets,
            "broken": found.broken_count,
            "broken_first": found.broken,
        },
        as_json=as_json,
        note="" if found.is_rotated else "Run `payloom secrets rotate-master-key`.",
    )
    if not found.is_good:
        raise typer.Exit(FAILED)


def rotate_master_key(as_json: AsJson = False) -> None:
    """Seal every data key under the newest master key, then forget the older ones.

    The newest is the first in PAYLOOM_MASTER_KEY; give it to every process before. With the
    embedded database it is made here, and running processes find it themselves. Safe to kill,
    to repeat, and to run twice at once.
    """
    settings = read_settings()
    file = _key_file(settings)

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.rotation.master_key import data_keys_to_seal_anew, rotate_master_key

        if file is not None:  # what an earlier run began and was killed over is ended first
            file.begin()
            rt.master_keys.refresh()
        with counted("Sealing data keys", await data_keys_to_seal_anew(rt)) as tell:
            done = await rotate_master_key(rt, tell=tell)
        older = [key_id for key_id in rt.master_keys.ids if key_id != done.master_key]
        if file is not None:
            file.drop(older)
        return {
            "master_key": done.master_key,
            "data_keys_sealed_anew": done.sealed_anew,
            "can_be_dropped": older,
        }

    note = (
        f"Keep a copy of {file.path} apart from the database."
        if file is not None
        else "Now take the older keys out of PAYLOOM_MASTER_KEY, process by process."
    )
    print_facts(with_runtime(work), as_json=as_json, note=note)


def rotate_data_keys(
    merchant: Annotated[
        str | None, typer.Option(help="Whose: mer_…; left out: everybody's.", metavar="MER")
    ] = None,
    older_than_days: Annotated[
        int, typer.Option(min=0, max=36_500, help="Leave younger data keys as they are.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Give merchants new data keys, and seal their secrets under these. Safe to kill, to repeat,
    and to run twice at once."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.rotation import data_keys

        before = rt.clock() - timedelta(days=older_than_days)
        if merchant:
            count = await data_keys.rotate_data_key(rt, ids.parse("mer", merchant), before)
            done = data_keys.Rotated(1, count)
        else:
            merchants = await data_keys.merchants_to_rotate(rt, before)
            with counted("Sealing secrets", merchants) as tell:
                done = await data_keys.rotate_data_keys(rt, before, tell=tell)
        return {"merchants": done.merchants, "secrets_sealed_anew": done.sealed_anew}

    print_facts(with_runtime(work), as_json=as_json)


def _key_file(settings: "Settings") -> "KeyFile | None":
    """Where the keys are if they are ours to make. Raises Failure when the operator's own hold
    no newer one."""
    from payloom.core.master_keys import parse
    from payloom.embedded import key_file

    if settings.master_key is None:
        return key_file(settings)
    if len(parse(settings.master_key.reveal())) == 1:
        raise Failure(
            "PAYLOOM_MASTER_KEY holds one key. Put a new one and a comma before it, for every"
            " process; `head -c 32 /dev/urandom | base64` makes one",
            ASKED_WRONGLY,
        )
    return None
