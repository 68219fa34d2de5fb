"""The demo from the outside: once, twice, ports, Ctrl-C, a second one on the same home."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.demo.running import demo_on, environment, is_alive, payloom, three_free_ports

FACTS = {
    *("api_url", "shop_url", "sandbox_url", "merchant_id", "api_key", "return_secret"),
    *("psp_api_key", "psp_webhook_secret", "database_url"),
}


def test_once_plays_the_nine_steps_and_again_on_the_same_home(home: Path, ports: str) -> None:
    first = payloom(home, "demo", "--once", PORT_BASE=ports)
    assert first.returncode == 0, first.stdout + first.stderr
    told = [line[1] for line in first.stdout.splitlines() if re.match(r" \d  ", line)]
    assert sorted(told) == list("123456789")
    assert "is paid." in first.stdout
    assert "The books balance." in first.stdout
    facts = json.loads((home / "demo.json").read_text())

    second = payloom(home, "demo", "--once", "--json")
    played = json.loads(second.stdout)
    assert second.returncode == 0, second.stderr
    assert (played["ok"], played["paid"], played["findings"]) == (True, True, [])
    assert [step["step"] for step in played["steps"]] == list(range(1, 10))
    assert json.loads((home / "demo.json").read_text()) == facts
    assert list((home / "demo" / "running").iterdir()) == [] or nothing_runs(home)


def test_ctrl_c_stops_everything_and_the_next_run_has_the_same_merchant(
    home: Path, ports: str
) -> None:
    with demo_on(home, PORT_BASE=ports) as first:
        pids, facts = first.pids(), first.facts
        assert first.stop(signal.SIGINT) == 0
        assert [name for name, pid in pids.items() if pid and is_alive(pid)] == []
    with demo_on(home) as second:  # the ports of the first run are kept, too
        assert second.facts == facts


def test_when_ports_change_and_the_sandbox_forgot_us_webhooks_follow(used_home: Path) -> None:
    home = used_home
    before = json.loads((home / "demo.json").read_text())
    for left in (home / "demo").glob("sandbox.sqlite*"):
        left.unlink()
    base = three_free_ports(after=int(before["sandbox_url"].rpartition(":")[2]))
    ended = payloom(home, "demo", "--once", "--json", PORT_BASE=str(base))
    played = json.loads(ended.stdout)
    assert played["ok"] is True, ended.stderr
    assert "The PSP sent checkout.session.completed." in played["steps"][8]["detail"]
    assert "signed webhook payment_order.succeeded" in played["steps"][8]["detail"]
    after = json.loads((home / "demo.json").read_text())
    assert after["api_url"] == f"http://127.0.0.1:{base}" != before["api_url"]
    assert after["merchant_id"] == before["merchant_id"]


def test_ports_that_are_taken_are_avoided_unless_they_were_asked_for(used_home: Path) -> None:
    home = used_home
    kept = json.loads((home / "demo.json").read_text())
    shop_port = int(kept["shop_url"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", shop_port)):
        refused = payloom(home, "demo", "--once", PORT_BASE=str(shop_port - 1))
        assert refused.returncode == 1
        assert f"port {shop_port} is taken" in refused.stderr
        played = payloom(home, "demo", "--once", "--json")
        assert json.loads(played.stdout)["ok"] is True, played.stderr
        after = json.loads((home / "demo.json").read_text())
        assert after["shop_url"] != kept["shop_url"]
        assert after["sandbox_url"] == kept["sandbox_url"]


def test_a_demo_told_to_stop_while_it_starts_leaves_nothing(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "payloom.cli", "demo"], env=environment(home),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        if "Merchant" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert nothing_runs(home)


def test_a_database_of_ones_own_is_not_touched_by_the_demo(home: Path) -> None:
    refused = payloom(
        home, "demo", PAYLOOM_DATABASE_URL="postgresql://x@h/d", PAYLOOM_MASTER_KEY="A" * 43 + "="
    )
    assert refused.returncode == 1
    assert "unset PAYLOOM_DATABASE_URL" in refused.stderr


def nothing_runs(home: Path) -> bool:
    notes = [json.loads(note.read_text()) for note in (home / "demo" / "running").glob("*.json")]
    servers = list((home / "postgres").glob("*/data/postmaster.pid"))
    return not any(is_alive(note["pid"]) for note in notes) and not servers


def test_the_environment_of_these_tests_holds_no_settings() -> None:
    assert [name for name in os.environ if name.startswith("PAYLOOM_")] == []
