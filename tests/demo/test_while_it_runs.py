"""A demo that runs, looked at from the outside."""

import asyncio
import json
import stat
import urllib.request
from pathlib import Path
from typing import Any

import asyncpg

from payloom.core import postgres
from tests.demo.running import Demo, payloom

FACTS = {
    *("api_url", "shop_url", "sandbox_url", "merchant_id", "api_key", "return_secret"),
    *("psp_api_key", "psp_webhook_secret", "database_url"),
}


def test_a_running_demo_is_used_by_once_and_told_to_a_second_one(steady: Demo) -> None:
    before = steady.pids()
    played = payloom(steady.home, "demo", "--once", "--json")
    assert json.loads(played.stdout)["ok"] is True, played.stderr
    assert f"process {steady.process.pid}" in played.stderr
    assert "the payment is played on it" in played.stderr
    assert steady.pids() == before

    second = payloom(steady.home, "demo")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"process {steady.process.pid}" in second.stderr
    assert steady.facts["shop_url"] in second.stderr
    assert "set PAYLOOM_HOME for one of its own" in second.stderr


def test_what_scripts_are_told_is_complete_and_private(steady: Demo, ports: str) -> None:
    assert set(steady.facts) == FACTS
    assert all(steady.facts.values())
    for path in ("demo.json", "master.key", "demo/state.json"):
        assert stat.S_IMODE((steady.home / path).stat().st_mode) == 0o600
    base = int(ports)
    assert steady.facts["api_url"] == f"http://127.0.0.1:{base}"
    assert steady.facts["shop_url"] == f"http://127.0.0.1:{base + 1}"
    assert steady.facts["sandbox_url"] == f"http://127.0.0.1:{base + 2}"
    assert paid_order(steady)["payment_order_status"] == "SUCCEEDED"


def test_no_secret_can_be_seen_in_a_process_list(steady: Demo) -> None:
    secrets = [steady.facts[name] for name in ("api_key", "return_secret", "psp_api_key")]
    secrets.append((steady.home / "master.key").read_text().strip())
    for pid in steady.pids().values():
        words = Path(f"/proc/{pid}/cmdline").read_text()
        assert not any(secret in words for secret in secrets)


def test_operators_can_ask_why_while_it_runs(steady: Demo) -> None:
    order = paid_order(steady)
    told = json.loads(payloom(steady.home, "explain", order["id"], "--json").stdout)
    assert told["payment_order"]["payment_order_status"] == "SUCCEEDED"
    kinds = [entry["kind"] for entry in told["data"]]
    assert kinds[0] == "request.received"
    assert {"psp.called", "notice.received", "posting.written"} <= set(kinds)
    shown = payloom(steady.home, "explain", order["id"]).stdout.splitlines()
    assert len(shown) >= len(kinds) + 1
    assert order["reference"] in shown[0]


async def test_books_that_do_not_balance_are_found_and_told(steady: Demo) -> None:
    order = paid_order(steady)
    superuser = await asyncpg.connect(postgres.dsn(steady.home, role="superuser"))
    try:
        await superuser.execute("SET session_replication_role = replica")  # no trigger speaks up
        await superuser.execute("UPDATE payment_orders SET amount_captured = amount_captured - 1")
        audited = await asyncio.to_thread(payloom, steady.home, "ledger", "audit", "--json")
        shown = await asyncio.to_thread(payloom, steady.home, "ledger", "audit")
    finally:
        await superuser.execute("UPDATE payment_orders SET amount_captured = amount_captured + 1")
        await superuser.close()
    told = json.loads(audited.stdout)
    assert (audited.returncode, told["ok"]) == (1, False)
    assert (told["findings"][0]["invariant"], told["findings"][0]["what"]) == ("I11", order["id"])
    assert (shown.returncode, order["id"] in shown.stdout) == (1, True)


def paid_order(demo: Demo) -> Any:
    """The newest; the first test of this file has paid one."""
    request = urllib.request.Request(
        demo.facts["api_url"] + "/v1/payment-orders",
        headers={"Authorization": f"Bearer {demo.facts['api_key']}"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"][0]
