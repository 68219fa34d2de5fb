"""Canaries go in by every way there is, payments and failures run, processes die: afterwards no
card number, check code, key or secret is anywhere (I22, I23, F28, S22, S23). And the search would
find them: the same places are searched for a card that was put there on purpose."""

import asyncio
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from payloom.core import postgres
from payloom.core.key_file import KeyFile
from payloom.core.master_keys import MasterKeys
from payloom.merchants import vault
from payloom.rotation.queries import data_keys_after
from payloom.runtime import running
from payloom.settings import Settings
from tests.connectors.wire import Wire
from tests.connectors.wire import opened as open_wire
from tests.security import forms, places, ways_in
from tests.security.forms import Canary
from tests.security.front import Front, open_front
from tests.security.house import House, Program, opened
from tests.security.load import endpoint, psp
from tests.security.places import Hit, Piece
from tests.security.ways_in import CARDS, ORDERS, Outside
from tests.webhooks.receiver import Receiver, answering, open_receiver

SESSIONS = "/v1/checkout/sessions"
PLANTED = "5200007840000022"  # the card that is put everywhere on purpose


@dataclass(slots=True)
class Scene:
    """What runs, what it told, and which secrets it has."""

    house: House
    front: Front
    receiver: Receiver
    wire: Wire
    outside: Outside
    merchant: str
    secrets: dict[str, str]
    running: dict[str, Program] = field(default_factory=dict)
    told: list[Piece] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.house.folder / "payloom"

    @property
    def key_file(self) -> KeyFile:
        return KeyFile(self.home / "master.key")

    @property
    def store(self) -> Path:
        return self.house.folder / "sandbox.sqlite"

    async def dsn(self, role: str) -> str:
        told: str = (await self.house.done("db", "shell", "--as", role))["database_url"]
        return told


@pytest.mark.crash
@pytest.mark.timeout(900)
async def test_no_canary_is_anywhere_and_each_that_is_planted_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await play(it)
        canaries = [*ways_in.cards(), *await secrets_of(it)]
        await stop(it)
        found = places.search(await everywhere(it), canaries)
        wrong = [hit for hit in found if not is_allowed(hit, it)]
        assert not wrong, "\n".join(map(str, wrong))
        assert found, "the PSP's stand-in must know what it signs with"

        planted = forms.card("planted", PLANTED)
        assert places.search(await everywhere(it), [planted]) == []
        await plant(it, planted)
        check_found_everywhere(planted, places.search(await everywhere(it), [planted]))


# --- what is played ----------------------------------------------------------------------------


async def play(it: Scene) -> None:
    """Everything that a shop, a shopper, a PSP and an operator can do, and some dying."""
    outside, http = it.outside, it.outside.http
    await ways_in.by_fields(outside, *it.secrets.values())
    await ways_in.by_headers(outside)
    await ways_in.by_commands(it.house, it.merchant, outside.connection)
    await paid_by_an_echoing_notice(it)
    await declined(it)
    await paid_with_deliveries(it)
    await killed_and_restarted(it)
    await it.house.done("secrets", "rotate-master-key")
    await it.house.done("secrets", "rotate-data-keys")
    await paid_with_deliveries(it)
    headers = {"Authorization": f"Bearer {outside.psp_key}"}
    async with http.delete(f"{outside.sandbox}/_sandbox/keys", headers=headers) as response:
        assert response.status == 200
    assert (await outside.order())["payment_order_status"] == "CREATED"
    await registered_at_a_psp_that_echoes(it)
    for name in ("api", "worker"):
        async with http.get(f"{it.running[name].url}/metrics") as response:
            it.told.append((f"metrics of {name}", await response.read()))
    it.told += places.command_lines(program.process.pid for program in it.running.values())


async def paid_by_an_echoing_notice(it: Scene) -> None:
    """The PSP's own webhooks are lost; ours echoes a card everywhere, and still says: paid."""
    outside = it.outside
    await fault(it, "/psp/*", "hook_lose", count=-1)
    order = await outside.order()
    session = await session_of(it, order)
    await ways_in.by_page(outside, session, CARDS["page"])
    session = await session_of(it, order)
    assert session["payment_status"] == "paid"
    await ways_in.by_notices(outside, session)
    await until(it, order, "SUCCEEDED")
    back = urlsplit(session["success_url"])
    await ways_in.by_return(outside, order, f"{back.path}?{back.query}")
    headers = {"Authorization": f"Bearer {outside.psp_key}"}
    async with outside.http.delete(f"{outside.sandbox}/_sandbox/faults", headers=headers):
        pass


async def declined(it: Scene) -> None:
    order = await it.outside.order()
    told = await ways_in.by_page(it.outside, await session_of(it, order), CARDS["declined"])
    assert told["error"]["code"] == "card_declined"


async def paid_with_deliveries(it: Scene) -> None:
    """The merchant's receiver fails at first, with a card in its answer."""
    it.receiver.answer = ways_in.answering_with_a_card
    order = await it.outside.order()
    await ways_in.by_page(it.outside, await session_of(it, order), CARDS["page"])
    await until(it, order, "SUCCEEDED")
    await it.receiver.wait_for(len(it.receiver.got) + 1)
    it.receiver.answer = answering(200)


async def killed_and_restarted(it: Scene) -> None:
    for name in ("api", "worker", "sandbox"):
        await it.running[name].kill()
    it.house.kill_database()
    await start(it)


async def registered_at_a_psp_that_echoes(it: Scene) -> None:
    """A newer connection leads to a PSP that answers with a card in all its words."""
    add = ("connections", "add", "stripe", "--merchant", it.merchant, "--api-base", it.wire.url)
    await it.house.done(*add, STRIPE_API_KEY="sk_test_" + "w" * 24)
    await asyncio.sleep(6)  # CACHE_TTL_S, and the new one is used
    for kind in ("refused", "unknown", "token", "no JSON"):
        ways_in.answer_with_a_card(it.wire, kind)
        status, _ = await it.outside.call("POST", ORDERS, json=it.outside.wanted())
        assert status == (422 if kind == "refused" else 202), kind
    assert it.wire.requests


async def session_of(it: Scene, order: dict[str, Any]) -> dict[str, Any]:
    path = f"{SESSIONS}/{order['attempts'][-1]['token']}"
    session: dict[str, Any] = await psp(
        it.outside.http, it.outside.sandbox, it.outside.psp_key, path
    )
    return session


async def fault(it: Scene, path: str, effect: str, **more: Any) -> None:
    headers = {"Authorization": f"Bearer {it.outside.psp_key}"}
    wanted = {"path": path, "effect": effect, **more}
    url = f"{it.outside.sandbox}/_sandbox/faults"
    async with it.outside.http.post(url, headers=headers, json=wanted) as response:
        assert response.status == 201


async def until(it: Scene, order: dict[str, Any], status: str) -> None:
    for _ in range(300):
        if (await it.outside.shown(order))["payment_order_status"] == status:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(await it.outside.shown(order))


# --- the scene ---------------------------------------------------------------------------------


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    async with (
        open_front() as front,
        open_receiver() as receiver,
        open_wire() as wire,
        aiohttp.ClientSession() as http,
        opened(folder / "house", PAYLOOM_PUBLIC_URL=front.url, PAYLOOM_LOG_LEVEL="DEBUG") as house,
    ):
        outside = Outside(http, front.url, "", "", "sk_test_" + "c" * 24, "", "")
        it = Scene(house, front, receiver, wire, outside, "", {})
        try:
            await start(it)
            await furnish(it)
            yield it
        finally:
            await house.close()
            await asyncio.to_thread(postgres.remove, it.home)


async def start(it: Scene) -> None:
    """Sandbox, API and worker; the same addresses for everybody outside."""
    port = str(urlsplit(it.outside.sandbox).port or 0)
    store = ("--store", str(it.store))
    it.running["sandbox"] = await it.house.start("sandbox", "sandbox", "--port", port, *store)
    it.running["api"] = await it.house.start("api", "serve", "--port", "0")
    it.running["worker"] = await it.house.start("worker", "worker", "--metrics-port", "0")
    it.front.behind[:] = [it.running["api"].url]
    it.outside.sandbox = it.running["sandbox"].url


async def furnish(it: Scene) -> None:
    """A merchant as an operator makes one; nothing is compressed, so that files can be read."""
    outside, house = it.outside, it.house
    await store_uncompressed(await it.dsn("owner"))
    made = await house.done("merchants", "create", "Corner Shop", "--mode", "test")
    it.merchant, outside.api_key = made["merchant_id"], made["api_key"]
    whose = ("--merchant", it.merchant)
    add = ("connections", "add", "stripe", *whose, "--api-base", outside.sandbox)
    connected = await house.done(*add, STRIPE_API_KEY=outside.psp_key)
    outside.connection = connected["connection_id"]
    url = connected["notices_url"]
    _, outside.hook = await endpoint(outside.http, outside.sandbox, outside.psp_key, url)
    more = ("connections", "add-secret", outside.connection, *whose)
    await house.done(*more, STRIPE_WEBHOOK_SECRET=outside.hook)
    create = ("webhook-endpoints", "create", *whose, "--url", it.receiver.url)
    it.secrets = {
        "API key": made["api_key"],
        "return secret": made["return_secret"],
        "PSP's API key": outside.psp_key,
        "PSP's webhook secret": outside.hook,
        "endpoint's secret": (await house.done(*create))["secret"],
    }


async def store_uncompressed(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    for row in await connection.fetch(
        "SELECT format('ALTER TABLE %I ALTER %I SET STORAGE EXTERNAL', c.relname, a.attname) AS sql"
        "  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attlen = -1"
        "   AND NOT a.attisdropped"
    ):
        await connection.execute(row["sql"])
    await connection.close()


async def stop(it: Scene) -> None:
    for name in ("api", "worker", "sandbox"):
        await it.running[name].stop()


# --- where it is looked, and for what ----------------------------------------------------------


async def secrets_of(it: Scene) -> list[Canary]:
    """Everything that must not be readable, the keys in memory included."""
    found = [forms.text(name, secret) for name, secret in it.secrets.items()]
    keys = it.key_file.read()
    for name, key in (("master key", key) for key in keys):
        found += [forms.raw(name, key), forms.text(name, MasterKeys([key]).setting.reveal())]
    settings = Settings.from_env({"HOME": "."})
    async with running(settings, await it.dsn("app"), MasterKeys(keys)) as rt:
        async with rt.db.statement() as tx:
            rows = await data_keys_after(tx, (UUID(int=0), 0), limit=100)
        found += [forms.raw("data key", vault.unwrap(rt, row)) for row in rows]
    assert len(rows) == 1
    return found


async def everywhere(it: Scene) -> Iterator[Piece]:
    """Every file of ours, the database's whole content, and all that anybody was told."""
    dumped = list(places.dump(await it.dsn("superuser")))
    await it.house.done("db", "stop")
    return chain(_pieces(it), dumped)


def _pieces(it: Scene) -> Iterator[Piece]:
    yield from places.files(it.house.folder, but=(it.key_file.path,))
    yield from places.sqlite_rows(it.store)
    yield from it.told
    yield from it.outside.answers
    for got in it.receiver.got:
        yield f"delivery to {got.path}", repr(got.headers).encode() + got.body
    for request in it.wire.requests:
        ours = {name: text for name, text in request.headers.items() if name != "authorization"}
        yield f"to the PSP: {request.line}", repr(ours).encode() + request.body


def is_allowed(hit: Hit, it: Scene) -> bool:
    """The stand-in for the PSP keeps what it signs with, as the PSP itself does."""
    return hit.canary == "PSP's webhook secret" and Path(hit.where).name.startswith(it.store.name)


# --- what is planted ---------------------------------------------------------------------------


async def plant(it: Scene, canary: Canary) -> None:
    """The card, in every form, into every kind of place."""
    data = {name: form for name, form in canary.forms.items() if isinstance(form, bytes)}
    connection = await asyncpg.connect(await it.dsn("superuser"))
    await connection.execute("CREATE TABLE planted (t text, b bytea)")
    for form in data.values():
        text = None if b"\x00" in form else form.decode()
        for _ in range(2):  # a page of the WAL may begin in the middle of one
            await connection.execute("INSERT INTO planted VALUES ($1, $2)", text, form)
        if text is not None:
            literal = text.replace("'", "''").replace("%", "%%")
            await connection.execute(f"DO $$ BEGIN RAISE WARNING '{literal}'; END $$")
    await connection.execute("CREATE TABLE dead AS SELECT b FROM planted")
    await connection.execute("DELETE FROM dead")
    await connection.execute("CHECKPOINT")
    await connection.close()
    whole = b"\n".join(data.values())
    with (it.house.logs / "api.log").open("ab") as log:
        log.write(whole)
    with sqlite3.connect(it.store) as store:
        store.execute("CREATE TABLE planted (b BLOB)")
        store.executemany("INSERT INTO planted VALUES (?)", [(form,) for form in data.values()])
    store.close()
    it.told.append(("metrics of planted", whole))
    it.outside.answers.append(("answer to planted", whole))
    async with it.outside.http.post(f"{it.receiver.url}/planted", data=whole):
        pass
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", PLANTED, stdin=asyncio.subprocess.PIPE
    )
    it.told += places.command_lines([child.pid])
    await child.communicate(b"\n")


def check_found_everywhere(canary: Canary, found: list[Hit]) -> None:
    """Every form in every place that can hold it: a text of PostgreSQL has no zeros in it, and its
    dumps escape a backslash once more."""
    every = set(canary.forms)
    texts = {name for name in every if not re.search(r"utf-16-..$", name)}
    dumped = {name for name in texts if not name.endswith("escaped")}
    for place, wanted in {
        "metrics of": every, "answer to": every, "delivery to": every, "api.log": every,
        "sandbox.sqlite": every, "pg_dump": dumped, "/base/": every, "/pg_wal/": every,
        "/log/postgresql": texts, "command line": {"raw"},
    }.items():  # fmt: skip
        forms_found = {hit.form for hit in found if place in hit.where}
        assert forms_found >= wanted, f"{place}: not found: {sorted(wanted - forms_found)}"
    dead = {hit.where for hit in found if "/base/" in hit.where}
    assert len(dead) >= 2, "rows that were deleted lie in a file of their own"
