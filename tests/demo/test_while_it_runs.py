"""A demo that runs, looked at from the outside."""

import json
import stat
import urllib.request
from pathlib import Path

from tests.demo.running import Demo, payloom

FACTS = {
    *("api_url", "shop_url", "sandbox_url", "merchant_id", "api_key", "return_secret"),
    *("psp_api_key", "psp_webhook_secret", "database_url"),
}


def test_a_running_demo_is_used_by_once_and_told_to_a_second_one(steady: Demo) -> None:
    before = steady.pids()
    played = payloom(steady.home, "demo", "--once", "--json")
    assert json.loads(played.stdout)["ok"] is True, played.stderr
    assert steady.pids() == before

    second = payloom(steady.home, "demo")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"process {steady.process.pid}" in second.stderr
    assert steady.facts["shop_url"] in second.stderr


def test_what_scripts_are_told_is_complete_and_private(steady: Demo, ports: str) -> None:
    assert set(steady.facts) == FACTS
    assert all(steady.facts.values())
    for path in ("demo.json", "master.key", "demo/state.json"):
        assert stat.S_IMODE((steady.home / path).stat().st_mode) == 0o600
    base = int(ports)
    assert steady.facts["api_url"] == f"http://127.0.0.1:{base}"
    assert steady.facts["shop_url"] == f"http://127.0.0.1:{base + 1}"
    assert steady.facts["sandbox_url"] == f"http://127.0.0.1:{base + 2}"
    request = urllib.request.Request(
        steady.facts["api_url"] + "/v1/payment-orders",
        headers={"Authorization": f"Bearer {steady.facts['api_key']}"},
    )
    with urllib.request.urlopen(request) as response:
        assert response.status == 200


def test_no_secret_can_be_seen_in_a_process_list(steady: Demo) -> None:
    secrets = [steady.facts[name] for name in ("api_key", "return_secret", "psp_api_key")]
    secrets.append((steady.home / "master.key").read_text().strip())
    for pid in steady.pids().values():
        words = Path(f"/proc/{pid}/cmdline").read_text()
        assert not any(secret in words for secret in secrets)
