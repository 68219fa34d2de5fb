"""Idempotency keys: bound to path and parameters, replayed, in flight, kept for 24 hours."""

import asyncio
import math
import time
from typing import Any

import pytest
import stripe

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.protocol import idempotency
from payloom.sandbox.stripe.protocol.idempotency import LIFE_S, SWEEP_EVERY_S, Answer, Keyed
from tests.sandbox.merchant import Merchant, form, order

SESSIONS = "/v1/checkout/sessions"


async def test_the_same_request_gets_the_first_answer_again(merchant: Merchant) -> None:
    status, body, first = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    again_status, again, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, body) == (again_status, again)
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first["Request-Id"] != headers["Request-Id"]
    assert "Idempotent-Replayed" not in first
    assert [entry["replayed"] for entry in await merchant.log()] == [False, True]
    assert {entry["object"] for entry in await merchant.log()} == {body["id"]}
    assert len((await merchant.sessions.list_async()).data) == 1


async def test_parameters_in_another_order_are_the_same_request(merchant: Merchant) -> None:
    _, body, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    turned = dict(reversed(form().items()))
    _, again, _ = await merchant.post(SESSIONS, turned, Idempotency_Key="k1")
    assert body["id"] == again["id"]


async def test_the_key_with_other_parameters_is_refused(merchant: Merchant) -> None:
    wanted: Any = order(1000)
    other: Any = order(1001)
    await merchant.sessions.create_async(wanted, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        await merchant.sessions.create_async(other, {"idempotency_key": "k1"})


async def test_the_key_on_another_path_is_refused(merchant: Merchant) -> None:
    _, body, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    path = f"{SESSIONS}/{body['id']}/expire"
    status, refused, _ = await merchant.post(path, Idempotency_Key="k1")
    assert (status, refused["error"]["type"]) == (400, "idempotency_error")
    assert "same endpoint" in refused["error"]["message"]


async def test_while_the_first_runs_the_second_is_409(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "late", delay_s=0.5)
    first = asyncio.create_task(merchant.post(SESSIONS, form(), Idempotency_Key="k1"))
    await asyncio.sleep(0.2)
    status, refused, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, refused["error"]["code"]) == (409, "idempotency_key_in_use")
    assert refused["error"]["type"] == "invalid_request_error"
    assert headers["Stripe-Should-Retry"] == "true"
    other = Merchant(merchant.url, merchant.http)
    assert (await other.post(SESSIONS, form(), Idempotency_Key="k1"))[0] == 200
    _, made, _ = await first
    _, again, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert again["id"] == made["id"]


async def test_a_hundred_copies_make_one_session(merchant: Merchant) -> None:
    calls = [merchant.post(SESSIONS, form(), Idempotency_Key="storm") for _ in range(100)]
    answers = await asyncio.gather(*calls)
    assert {status for status, _, _ in answers} <= {200, 409}
    assert len({body["id"] for status, body, _ in answers if status == 200}) == 1
    assert len((await merchant.sessions.list_async()).data) == 1


async def test_a_refused_parameter_is_not_kept_under_the_key(merchant: Merchant) -> None:
    status, _, _ = await merchant.post(SESSIONS, form("5"), Idempotency_Key="k1")
    assert status == 400
    status, _, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 200
    assert "Idempotent-Replayed" not in headers


async def test_a_500_is_kept_and_replayed(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "status", status=500)
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 500
    status, _, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, headers["Idempotent-Replayed"]) == (500, "true")
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k2")
    assert status == 200


@pytest.mark.parametrize("ordered", [429, 409, 503])
async def test_what_never_began_to_execute_is_not_kept(merchant: Merchant, ordered: int) -> None:
    await merchant.fault(SESSIONS, "status", status=ordered)
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == ordered
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 200


async def test_an_ordered_500_does_not_replace_a_kept_answer(merchant: Merchant) -> None:
    _, made, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    await merchant.fault(SESSIONS, "status", status=500)
    await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    status, again, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, again["id"]) == (200, made["id"])


async def test_an_ordered_500_is_not_kept_under_the_key_of_another_request(
    merchant: Merchant,
) -> None:
    _, made, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    await merchant.fault("/v1/customers", "status", status=500)
    status, _, _ = await merchant.post("/v1/customers", Idempotency_Key="k1")
    assert status == 500
    _, again, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert again["id"] == made["id"]


async def test_a_refusal_that_was_executed_is_kept(merchant: Merchant) -> None:
    session = await merchant.order()
    path = f"{SESSIONS}/{session.id}/expire"
    await merchant.post(path)
    first = await merchant.post(path, Idempotency_Key="k1")
    again = await merchant.post(path, Idempotency_Key="k1")
    assert first[0] == again[0] == 400
    assert again[2]["Idempotent-Replayed"] == "true"


async def test_a_declined_confirmation_is_replayed_and_charges_once(merchant: Merchant) -> None:
    session = await merchant.order()
    path = f"/v1/payment_pages/{session.id}/confirm"
    card = {"payment_method": "pm_card_chargeDeclined"}
    first = await merchant.post(path, card, Idempotency_Key="k1")
    again = await merchant.post(path, card, Idempotency_Key="k1")
    assert (first[0], again[0]) == (402, 402)
    assert first[1] == again[1]
    assert [entry["object"] for entry in (await merchant.log())[-2:]] == [session.id, session.id]
    failed: Any = await merchant.stripe.v1.events.list_async({"type": "charge.failed"})
    assert [event.request.idempotency_key for event in failed.data] == ["k1"]


async def test_after_24_hours_the_key_is_new_again(merchant: Merchant) -> None:
    _, made, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    await merchant.advance(24 * 3600 - 60)
    _, again, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert again["id"] == made["id"]
    await merchant.advance(120)
    _, fresh, _ = await merchant.post(SESSIONS, form("777"), Idempotency_Key="k1")
    assert fresh["amount_total"] == 777


async def test_keys_are_per_tenant(merchant: Merchant) -> None:
    other = Merchant(merchant.url, merchant.http)
    _, mine, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    status, theirs, _ = await other.post(SESSIONS, form("500"), Idempotency_Key="k1")
    assert status == 200
    assert theirs["id"] != mine["id"]


async def test_a_key_of_more_than_255_characters_is_refused(merchant: Merchant) -> None:
    status, body, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k" * 256)
    assert status == 400
    assert "255" in body["error"]["message"]
    assert "Idempotency-Key" not in headers


async def test_a_key_may_have_any_letters_that_a_header_can(merchant: Merchant) -> None:
    _, made, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="clé £1")
    _, again, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="clé £1")
    assert again["id"] == made["id"]
    assert "Idempotency-Key" in headers


async def test_an_empty_key_is_none(merchant: Merchant) -> None:
    made = [await merchant.post(SESSIONS, form(), Idempotency_Key="") for _ in range(2)]
    assert len({body["id"] for _, body, _ in made}) == 2
    assert "Idempotency-Key" not in made[0][2]
    assert [entry["idempotency_key"] for entry in await merchant.log()] == [None, None]


async def test_a_key_of_255_characters_is_taken(merchant: Merchant) -> None:
    status, _, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k" * 255)
    assert (status, headers["Idempotency-Key"]) == (200, "k" * 255)


async def test_a_key_on_a_get_or_delete_has_no_effect(merchant: Merchant) -> None:
    endpoint = await merchant.listen("http://127.0.0.1:9/a")
    url = f"{merchant.url}/v1/webhook_endpoints/{endpoint.id}"
    headers = {**merchant.auth, "Idempotency-Key": "k1"}
    for method, status in (("GET", 200), ("DELETE", 200), ("DELETE", 404), ("GET", 404)):
        async with merchant.http.request(method, url, headers=headers) as answer:
            assert answer.status == status
            assert "Idempotent-Replayed" not in answer.headers
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 200


async def test_an_object_s_lock_that_is_not_had_is_429_and_is_not_kept(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "lock_timeout")
    status, body, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, body["error"]["code"]) == (429, "lock_timeout")
    assert "Stripe-Rate-Limited-Reason" not in headers
    assert headers["Stripe-Should-Retry"] == "true"
    status, _, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, "Idempotent-Replayed" in headers) == (200, False)


async def test_a_kept_500_is_replayed_for_a_day(merchant: Merchant) -> None:
    await merchant.fault(SESSIONS, "status", status=500)
    _, failed, first = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    status, again, headers = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert (status, again) == (500, failed)
    assert headers["Original-Request"] == first["Request-Id"]
    await merchant.advance(24 * 3600 + 60)
    status, _, _ = await merchant.post(SESSIONS, form(), Idempotency_Key="k1")
    assert status == 200


def keep(rt: Runtime, tenant: Tenant, key: str, at: float, request_id: str = "req_1") -> None:
    with rt.store.transaction():
        tx = rt.open_tx(tenant, at)
        idempotency.remember(tx, Keyed(key, SESSIONS, b""), Answer(200, b"{}", request_id))


def kept(rt: Runtime) -> list[str]:
    return [key for (key,) in rt.store.db.execute("SELECT key FROM answers ORDER BY key")]


def sweeps(rt: Runtime, tenant: Tenant) -> list[float]:
    """When the tenant's next are due."""
    rows = rt.store.db.execute(
        "SELECT due_at FROM timers WHERE kind = ? AND tenant = ? ORDER BY due_at",
        (idempotency.FORGET, tenant.id),
    )
    return [due_at for (due_at,) in rows]


def test_kept_answers_are_deleted_a_day_later_by_one_sweep_for_all_of_some_minutes(
    rt: Runtime, tenant: Tenant
) -> None:
    other = rt.tenants.of_key("sk_test_tenant000002")
    assert other is not None
    began = math.ceil(time.time() / SWEEP_EVERY_S) * SWEEP_EVERY_S
    first = began + SWEEP_EVERY_S + LIFE_S
    for key, after_s in (("a", 1), ("b", 9.5), ("c", SWEEP_EVERY_S + 1)):
        keep(rt, tenant, key, began + after_s)
    keep(rt, other, "other", began + 1)
    assert sweeps(rt, tenant) == [first, first + SWEEP_EVERY_S]
    for now, left in (
        (began + LIFE_S, ["a", "b", "c", "other"]),
        (first, ["c", "other"]),
        (first + SWEEP_EVERY_S, ["other"]),
    ):
        rt.tenants.advance(tenant, now - rt.now(tenant))
        rt.agenda.fire(tenant)
        assert kept(rt) == left
    assert sweeps(rt, tenant) == []


def test_a_key_that_is_new_again_keeps_its_new_answer_before_the_old_is_deleted(
    rt: Runtime, tenant: Tenant
) -> None:
    now = time.time()
    keep(rt, tenant, "k1", now)
    keep(rt, tenant, "k1", now + LIFE_S, "req_2")
    found = idempotency.recall(rt.open_tx(tenant, now + LIFE_S + 9), Keyed("k1", SESSIONS, b""))
    assert found is not None
    assert found.original_request == "req_2"
