"""What another project's tests are handed: an account, a shopper, and the means to break things."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import stripe

from payloom.testing import (
    CHALLENGE,
    DECLINED,
    DidNotStart,
    Paid,
    Refused,
    SandboxProcess,
    StripeSandbox,
)
from tests.testing.conftest import Endpoint

COMPLETED: Final = "checkout.session.completed"


def order(account: StripeSandbox, **more: Any) -> Any:
    item = {
        "price_data": {
            "currency": "eur",
            "unit_amount": 1999,
            "product_data": {"name": "Blue mug"},
        },
        "quantity": 1,
    }
    params: Any = {
        "mode": "payment",
        "line_items": [item],
        "success_url": "http://127.0.0.1:9/paid",
        **more,
    }
    return account.client.v1.checkout.sessions.create(params)


def status(account: StripeSandbox, session: Any) -> tuple[Any, Any]:
    found = account.client.v1.checkout.sessions.retrieve(session.id)
    return found.status, found.payment_status


def test_the_client_is_ready_and_each_account_is_nobody_elses(
    account: StripeSandbox, stripe_sandbox_process: SandboxProcess
) -> None:
    session = order(account)
    with StripeSandbox.opened(stripe_sandbox_process.url) as other:
        assert other.key != account.key
        assert other.client.v1.checkout.sessions.list().data == []
    with StripeSandbox.opened(stripe_sandbox_process.url, account.key) as same:
        assert [each.id for each in same.client.v1.checkout.sessions.list().data] == [session.id]


def test_a_shopper_pays_and_is_sent_on(account: StripeSandbox) -> None:
    session = order(account)
    assert account.pay(session.url) == Paid("http://127.0.0.1:9/paid", "")
    assert status(account, session) == ("complete", "paid")
    again = account.pay(session.url)
    assert (again.is_done, again.message) == (False, "Already paid")


def test_a_declined_card_leaves_the_shopper_on_the_page(account: StripeSandbox) -> None:
    session = order(account)
    refused = account.pay(session.url, DECLINED)
    assert (refused.is_done, refused.message) == (False, "Your card was declined.")
    assert status(account, session) == ("open", "unpaid")
    assert account.pay(session.url).is_done


def test_three_d_secure_is_passed_or_failed(account: StripeSandbox) -> None:
    session = order(account)
    failed = account.pay(session.url, CHALLENGE, authenticates=False)
    assert not failed.is_done
    assert "unable to authenticate" in failed.message
    assert account.pay(session.url, CHALLENGE).is_done
    assert status(account, session) == ("complete", "paid")


def test_further_fields_of_the_page_are_filled_in(account: StripeSandbox) -> None:
    session = order(account)
    wrong = account.shopper.pay(session.url, fields={"email": "nobody"})
    assert wrong.message == "Please check the marked fields."
    account.shopper.pay(session.url, fields={"email": "ada@example.com"})
    found = account.client.v1.checkout.sessions.retrieve(session.id)
    assert found.customer_details is not None
    assert found.customer_details.email == "ada@example.com"


def test_a_lost_webhook_stays_lost_and_the_next_arrives(
    account: StripeSandbox, endpoint: Endpoint
) -> None:
    account.client.v1.webhook_endpoints.create({"url": endpoint.url, "enabled_events": [COMPLETED]})
    account.control.fault("hook_lose", event_type=COMPLETED)
    account.pay(order(account).url)
    account.control.advance(4 * 86_400)
    assert endpoint.bodies == []
    second = order(account)
    account.pay(second.url)
    first, last = account.control.settle()
    assert (first["effect"], first["status"]) == ("hook_lose", None)
    assert (last["effect"], last["status"]) == (None, 200)
    assert [json.loads(body)["data"]["object"]["id"] for body in endpoint.bodies] == [second.id]


def test_faults_are_seen_at_once_and_cleared(account: StripeSandbox) -> None:
    account.control.fault("status", "/v1/checkout/*", status=503, count=-1)
    with pytest.raises(stripe.APIError):
        order(account)
    assert [entry["status"] for entry in account.control.log()] == [503]
    assert [fault["count"] for fault in account.control.faults()] == [-1]
    account.control.clear_faults()
    assert order(account).status == "open"


def test_a_fault_that_cannot_be_ordered_says_why(account: StripeSandbox) -> None:
    with pytest.raises(Refused, match="effect must be one of late"):
        account.control.fault("explode")


def test_the_clock_moves_and_a_reset_forgets(account: StripeSandbox) -> None:
    session = order(account)
    before = account.control.now()
    account.control.advance(25 * 3600)
    assert account.control.now() - before >= 25 * 3600
    assert status(account, session) == ("expired", "unpaid")
    account.control.reset()
    assert account.control.now() - before < 3600
    assert account.client.v1.checkout.sessions.list().data == []


def test_the_process_ends_with_its_context_and_keeps_a_given_store(tmp_path: Path) -> None:
    store = tmp_path / "sandbox.sqlite"
    with (
        SandboxProcess(store=store) as process,
        StripeSandbox.opened(process.url) as account,
    ):
        session = order(account)
    with (
        SandboxProcess(store=store) as process,
        StripeSandbox.opened(process.url, account.key) as account,
    ):
        assert status(account, session) == ("open", "unpaid")
        with pytest.raises(DidNotStart), SandboxProcess(store=store):
            pass
    with pytest.raises(ConnectionError):
        account.control.now()


def test_whoever_does_not_name_the_plugin_pays_nothing() -> None:
    """The package brings pytest no plugin, and does without pytest."""
    code = "import payloom, sys; assert not {'pytest', 'payloom.testing'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    text = (Path(__file__).parent.parent.parent / "pyproject.toml").read_text()
    assert "pytest11" not in text
