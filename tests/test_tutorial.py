"""The tutorial, run as written: every `sh` block in one shell, the `python` block in Python.

The how-to about the sandbox goes the same way, since it needs the same demo. What a reader sees in
`console` blocks (starting the demo) is done by the test's own demo.
"""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payloom.core import postgres
from tests.demo.running import Demo, demo_on, environment, three_free_ports
from tests.generate_docs import DOCS, ROOT

TUTORIAL = DOCS / "tutorial" / "first-payment.md"
SANDBOX = DOCS / "how-to" / "test-against-the-sandbox.md"
WITHIN_S = 90


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("tutorial") / "home"
    with demo_on(home, PORT_BASE=str(three_free_ports())) as demo:
        yield demo
    postgres.remove(home)


def _blocks(language: str, page: Path = TUTORIAL) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def _run(command: list[str], text: str, demo: Demo, **more: str) -> str:
    done = subprocess.run(
        command,
        input=text,
        cwd=ROOT,
        env=environment(demo.home, **more),
        text=True,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_lead_to_a_paid_order(demo: Demo) -> None:
    script = "\n".join(["set -euo pipefail", *_blocks("sh")])
    told = _run(["bash", "-s"], script, demo)
    lines = told.splitlines()
    assert "PENDING" in lines
    assert "the same order" in lines
    assert "SUCCEEDED" in lines
    assert '"kind": "captured"' in told
    owed = re.findall(r'"code": "(\w+)",\n\s+"amount": (-?\d+)', told)
    assert sorted(owed) == [("merchant_pending", "-4999"), ("psp_receivable", "4999")]
    assert '"type": "payment_order.succeeded"' in told
    assert "books balance" in told


def test_the_python_takes_a_payment(demo: Demo) -> None:
    (script,) = _blocks("python")
    told = _run([sys.executable, "-"], script, demo)
    assert "Pay here: http" in told
    assert told.splitlines()[-1] == "PENDING"


def test_the_tutorial_has_no_command_that_is_not_run() -> None:
    languages = re.findall(r"^```(\w*)", TUTORIAL.read_text(), re.MULTILINE)
    assert set(filter(None, languages)) == {"console", "sh", "python"}
    assert _blocks("console") == ["$ make demo\n"]


def test_a_script_plays_the_shopper(demo: Demo) -> None:
    (script,) = _blocks("python play_the_shopper", SANDBOX)
    names: dict[str, Any] = {}
    exec(compile(script, SANDBOX.name, "exec"), names)
    facts = demo.facts
    token = _token(facts)
    names["pay"](facts["sandbox_url"], facts["psp_api_key"], token)
    entry = next(e for e in _log(facts) if e["path"] == f"/v1/payment_pages/{token}/confirm")
    assert entry["status"] == 200


def test_the_sandbox_does_as_the_page_says(demo: Demo) -> None:
    facts = demo.facts
    paid, debited = _token(facts), _token(facts)
    card = {"payment_method": "pm_card_visa"}
    page = _sandbox(facts, "POST", f"/v1/payment_pages/{paid}/confirm", card)
    names = {
        "API": facts["api_url"],
        "API_KEY": facts["api_key"],
        "PAYMENT_INTENT": page["payment_intent"]["id"],
        "PSP_KEY": facts["psp_api_key"],
        "SANDBOX": facts["sandbox_url"],
        "TOKEN": debited,
    }
    script = "\n".join(["set -euo pipefail", *_blocks("sh", SANDBOX)])
    told = _run(["bash", "-s"], script, demo, **names)
    assert '"payment_status":"unpaid"' in told
    session = _sandbox(facts, "GET", f"/v1/checkout/sessions/{debited}")
    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert '"object":"refund","amount":500' in told
    assert '"effect":"hook_lose"' in told
    assert '"effect":"apply_then_drop"' in told
    _sandbox(facts, "DELETE", "/_sandbox/faults")


def _token(facts: dict[str, str]) -> str:
    """Of a new order's page."""
    return _hosted_page(facts).rpartition("/")[2].partition("#")[0]


def _hosted_page(facts: dict[str, str]) -> str:
    wanted = {"reference": f"t-{time.time_ns()}", "amount": 1450, "currency": "EUR"}
    body = json.dumps({**wanted, "return_url": facts["shop_url"]}).encode()
    request = urllib.request.Request(facts["api_url"] + "/v1/payment-orders", body)
    request.add_header("Authorization", f"Bearer {facts['api_key']}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=15) as answer:
        return str(json.load(answer)["redirect_url"])


def _log(facts: dict[str, str]) -> list[dict[str, Any]]:
    return list(_sandbox(facts, "GET", "/_sandbox/log"))


def _sandbox(
    facts: dict[str, str], method: str, path: str, form: dict[str, str] | None = None
) -> Any:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(facts["sandbox_url"] + path, data, method=method)
    request.add_header("Authorization", f"Bearer {facts['psp_api_key']}")
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)
