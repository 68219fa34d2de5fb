"""payloom secrets …: what is sealed is checked, and sealed anew."""

import base64
import secrets

from tests.cli.conftest import Cli


def fresh_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def with_newer(cli: Cli) -> tuple[Cli, str]:
    """The same operator with a new master key before the one in use."""
    new = fresh_key()
    both = f"{new},{cli.environment['PAYLOOM_MASTER_KEY']}"
    return cli.without(PAYLOOM_MASTER_KEY=both), new


async def test_a_rotation_step_by_step(cli: Cli) -> None:
    merchant = await cli.merchant()
    both, new = with_newer(cli)
    looked = await both("secrets", "check", "--json")
    assert looked.code == 1
    assert (looked.json["good"], looked.json["broken"]) == (False, 0)
    newest, old = looked.json["held"]
    assert (looked.json["newest_master_key"], looked.json["in_use"]) == (newest, [old])

    rotated = await both("secrets", "rotate-master-key", "--json")
    assert rotated.code == 0, rotated.err
    assert rotated.json == {
        "master_key": newest,
        "data_keys_sealed_anew": 1,
        "can_be_dropped": [old],
    }
    looked = await both("secrets", "check", "--json")
    assert (looked.code, looked.json["can_be_dropped"]) == (0, [old])

    alone = cli.without(PAYLOOM_MASTER_KEY=new)
    looked = await alone("secrets", "check", "--json")
    assert (looked.code, looked.json["in_use"], looked.json["secrets"]) == (0, [newest], 1)
    keyed = await alone(
        "connections", "add", "stripe", "--merchant", merchant["merchant_id"], "--json",
        STRIPE_API_KEY="sk_test_51HabcDEFghi",
    )  # fmt: skip
    assert keyed.code == 0, keyed.err


async def test_people_are_told_what_to_do_next_and_never_a_key(cli: Cli) -> None:
    await cli.merchant()
    both, new = with_newer(cli)
    looked = await both("secrets", "check")
    rotated = await both("secrets", "rotate-master-key")
    assert "rotate-master-key" in looked.out
    assert "out of PAYLOOM_MASTER_KEY" in rotated.out
    for said in (looked, rotated):
        for key in (new, cli.environment["PAYLOOM_MASTER_KEY"]):
            assert key not in said.out + said.err


async def test_a_rotation_needs_a_second_key(cli: Cli) -> None:
    refused = await cli("secrets", "rotate-master-key")
    assert refused.code == 2
    assert "Put a new one and a comma before it" in refused.err


async def test_data_keys_are_rotated_for_one_merchant_or_for_all(cli: Cli) -> None:
    one, _ = (await cli.merchant())["merchant_id"], await cli.merchant()
    done = await cli("secrets", "rotate-data-keys", "--merchant", one, "--json")
    assert (done.code, done.json) == (0, {"merchants": 1, "secrets_sealed_anew": 1})
    done = await cli("secrets", "rotate-data-keys", "--older-than-days", "1", "--json")
    assert (done.code, done.json) == (0, {"merchants": 0, "secrets_sealed_anew": 0})
    done = await cli("secrets", "rotate-data-keys", "--json")
    assert (done.code, done.json) == (0, {"merchants": 2, "secrets_sealed_anew": 2})
    assert (await cli("secrets", "check", "--json")).json["data_keys"] == 2


async def test_a_merchant_that_is_not_there_has_no_data_key(cli: Cli) -> None:
    unknown = "mer_01h45ytscbebyvny4gc8cr8ma2"
    refused = await cli("secrets", "rotate-data-keys", "--merchant", unknown)
    assert (refused.code, "Traceback" in refused.err) == (1, False)
