"""Bad input: a 4xx problem document that names the field, and nothing changed."""

import json
import re
from typing import Any

from payloom.core import ids
from payloom.merchants.merchants import create_key
from tests.scenarios.rows import counted
from tests.scenarios.stage import Reply, Stage

ORDERS = "/v1/payment-orders"
LONG = "x" * 3_000


def check_problem(reply: Reply, status: int, code: str | None = None) -> dict[str, Any]:
    """The reply is a whole problem document of this status."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json
    assert problem["status"] == status
    assert problem["type"].endswith(":" + problem["code"])
    assert problem["title"]
    assert problem["detail"]
    assert code in (None, problem["code"])
    assert all(set(error) == {"field", "message"} for error in problem["errors"])
    return problem


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


JSON = "application/json"
BODIES: list[tuple[bytes, int, str | None]] = [
    (b"{", 400, "body"),
    (b"not json", 400, "body"),
    (b'{"amount": NaN}', 400, "body"),
    (b'{"amount": Infinity}', 400, "body"),
    (b'{"amount": 1, "amount": 2}', 400, "amount"),
    (rb'{"\ud800": 1, "\ud800": 2}', 400, "body"),
    (rb'{"reference": "\ud800"}', 400, "body"),
    (rb'{"reference": "\u0000"}', 400, "body"),
    (b'{"reference": "\xff"}', 400, "body"),
    (b"\xef\xbb\xbf{}", 400, "body"),
    (b"[" * 5_000 + b"]" * 5_000, 400, "body"),
    (b'{"amount": ' + b"9" * 5_000 + b"}", 400, "body"),
    (b"\x00" * 100, 400, "body"),
    (b"[]", 422, "body"),
    (b"5", 422, "body"),
    (b'"text"', 422, "body"),
    (b"null", 422, "body"),
    (b"", 422, "body"),
    (b'{"reference": "' + b"x" * 70_000 + b'"}', 413, None),
]


async def test_a_body_that_is_no_json_object_is_refused(stage: Stage) -> None:
    before = await counted(stage.rt)
    for body, status, field in BODIES:
        reply = await stage.send("POST", ORDERS, data=body, headers={"Content-Type": JSON})
        problem = check_problem(reply, status)
        assert field is None or fields(problem) == [field], (body[:50], problem)
    assert await counted(stage.rt) == before


MEDIA_TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
               "application/jsonp", "application/vnd.api+json", "", "json",
               "application/json, text/plain"]  # fmt: skip


async def test_a_body_of_another_media_type_is_refused(stage: Stage) -> None:
    before = await counted(stage.rt)
    body = json.dumps(stage.wanted()).encode()
    for media_type in MEDIA_TYPES:
        reply = await stage.send("POST", ORDERS, data=body, headers={"Content-Type": media_type})
        check_problem(reply, 415, "unsupported_media_type")
    assert await counted(stage.rt) == before


async def test_a_charset_beside_the_media_type_is_fine(stage: Stage) -> None:
    body = json.dumps(stage.wanted(description="Grüße"), ensure_ascii=False).encode()
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await stage.send("POST", ORDERS, data=body, headers=kind)).status == 201


CARD = "4242 4242 4242 4242"
Wrong = tuple[str, Any, str]  # a field's name, its value, what the answer must name


def wrong(name: str, *values: Any) -> list[Wrong]:
    return [(name, value, name) for value in values]


WRONG: list[Wrong] = [
    *wrong("reference", None, "", "x" * 121, " x", "x ", "a\nb", "a\tb", "\u200b", 5, ["W"], {}),
    *wrong("amount", None, 0, -1, 10**15 + 1, 10**30, 49.99, 50.0, 1e2, "4999", True, [], {}),
    *wrong("currency", None, "", "eur", "EU", "EURO", "XXX", "XAU", "€", "EUR ", 978, ["EUR"]),
    *wrong("return_url", None, "", "/return", "shop.example/return", "ftp://shop.example/",
       "javascript:alert(1)", "http://shop.example/return", "https://", "https://user:pw@shop.example/",
       "https://[::1", "https://shop.example/#done", "https://shop.example/a b",
       "https://shop.example\\@evil.example",
       "https://shöp.example/", "https://shop.example:99999/", "https://shop.example/\r\nA: b",
       "https://shop.example/" + LONG, 5),
    *wrong("cancel_url", "", "/cancel", "http://10.0.0.1/", "data:text/html,x", 5),
    *wrong("payment_type", "", "sale", "ONCE", 1, None),
    *wrong("payment_method", "", "apm", "CASH", 1, None),
    *wrong("capture", "", "later", True, None),
    ("method_types", "card", "method_types"),
    ("method_types", None, "method_types"),
    ("method_types", ["cash"], "method_types[0]"),
    ("method_types", ["card", 5], "method_types[1]"),
    ("method_types", ["card"] * 9, "method_types"),
    ("psp", "", "psp"),
    ("psp", "acme", "psp"),
    ("psp", "x" * 32, "psp"),
    ("psp", 5, "psp"),
    *wrong("description", "", "x" * 501, f"card {CARD}", 5),
    ("line_items", "x", "line_items"),
    ("line_items", [{"quantity": 1, "unit_amount": 4999}], "line_items[0].name"),
    ("line_items", [5], "line_items[0]"),
    ("line_items", [{"name": "", "quantity": 1, "unit_amount": 4999}], "line_items[0].name"),
    ("line_items", [{"name": "x" * 251, "quantity": 1, "unit_amount": 4999}], "line_items[0].name"),
    ("line_items", [{"name": "a", "quantity": 0, "unit_amount": 4999}], "line_items[0].quantity"),
    ("line_items", [{"name": "a", "quantity": 10**6, "unit_amount": 1}], "line_items[0].quantity"),
    ("line_items", [{"name": "a", "quantity": 1.0, "unit_amount": 4999}], "line_items[0].quantity"),
    ("line_items", [{"name": "a", "quantity": 1, "unit_amount": -1}], "line_items[0].unit_amount"),
    ("line_items", [{"name": "a", "quantity": 1, "unit_amount": 4999, "x": 1}], "line_items[0].x"),
    ("line_items", [{"name": "a", "quantity": 1, "unit_amount": 4998}], "line_items"),
    ("line_items", [{"name": "a", "quantity": 1, "unit_amount": 1}] * 101, "line_items"),
    ("customer", "ada", "customer"),
    ("customer", {"id": "x" * 201}, "customer.id"),
    ("customer", {"name": CARD}, "customer.name"),
    ("customer", {"phone": "1"}, "customer.phone"),
    *[("customer", {"email": value}, "customer.email") for value in
      ("", "ada", "ada@", "@example.com", "a b@example.com", "a@b@c", "a\u0007@b.example", 5)],
    *[("customer", {"country": value}, "customer.country") for value in ("de", "DEU", "", 49)],
    ("metadata", [], "metadata"),
    ("metadata", None, "metadata"),
    ("metadata", {"a": 5}, "metadata.a"),
    ("metadata", {"a": None}, "metadata.a"),
    ("metadata", {"a": {"b": "c"}}, "metadata.a"),
    ("metadata", {"a": "x" * 501}, "metadata.a"),
    ("metadata", {"a": CARD}, "metadata.a"),
    ("metadata", {"a": "sk_live_" + "a" * 24}, "metadata.a"),
    ("metadata", {f"k{n}": "v" for n in range(51)}, "metadata"),
    *wrong("expires_in", 2_099, 86_101, 0, -1, "3600", 3600.5, None),
    *wrong("locale", "", "english", "EN", "e", 5, "en_GB!"),
    ("amount_captured", 4999, "amount_captured"),
    ("id", "po_01h45ytscbebyvny4gc8cr8ma2", "id"),
    ("merchant_id", "x", "merchant_id"),
]  # fmt: skip


# One voice: what it must be, or what is wrong with it; never the words of a library.
VOICE = re.compile(r"(must |is missing$|there is no such |looks like a |this merchant has no )")


async def test_every_wrong_value_is_refused_by_the_name_of_its_field(stage: Stage) -> None:
    before = await counted(stage.rt)
    for name, value, field in WRONG:
        reply = await stage.post(ORDERS, stage.wanted(**{name: value}))
        problem = check_problem(reply, 422)
        named = {one.removesuffix(".[key]") for one in fields(problem)}
        assert named == {field}, (name, value, problem)
        for error in problem["errors"]:
            assert VOICE.match(error["message"]), (name, value, error)
    for name in ("reference", "amount", "currency", "return_url"):
        body = stage.wanted()
        del body[name]
        assert fields(check_problem(await stage.post(ORDERS, body), 422)) == [name]
    assert await counted(stage.rt) == before


async def test_all_mistakes_are_told_at_once(stage: Stage) -> None:
    body = stage.wanted(amount=0, currency="eur", expires_in=5, nonsense=1)
    body |= {"return_url": "/return", "cancel_url": "http://shop.example/", "capture": "manual"}
    problem = check_problem(await stage.post(ORDERS, body), 422, "invalid_request")
    wrong = {"amount", "currency", "expires_in", "nonsense", "return_url", "cancel_url"}
    assert set(fields(problem)) == wrong
    assert problem["detail"].startswith("amount: must be more than 0; currency: must be ")
    assert problem["detail"].endswith("; and 3 more")


async def test_an_unknown_field_is_told_which_are_known(stage: Stage) -> None:
    body = stage.wanted(**{f"x{number}": 1 for number in range(200)}, customer={"phone": "1"})
    problem = check_problem(await stage.post(ORDERS, body), 422, "invalid_request")
    assert len(problem["errors"]) == 100  # enough to be told, and no more than a page
    told = {error["field"]: error["message"] for error in problem["errors"]}
    known = "there is no such field; known are id, email, name, country"
    assert told["customer.phone"] == known
    assert told["x0"].startswith("there is no such field; known are reference, amount, currency,")


async def test_metadata_with_a_wrong_name_is_refused(stage: Stage) -> None:
    for name in ("", "x" * 41):
        problem = check_problem(await stage.post(ORDERS, stage.wanted(metadata={name: "v"})), 422)
        assert all(field.startswith("metadata") for field in fields(problem))


AT_THE_LIMIT: list[dict[str, Any]] = [
    {"reference": "x" * 120},
    {"reference": "Ürömqi № 5 – 東京"},
    {"amount": 50},
    {"amount": 99_999_999},
    {"return_url": "https://shop.example:8443/r?a=b&c=%20d"},
    {"return_url": "http://localhost:3000/r", "cancel_url": "http://[::1]:3000/c"},
    {"return_url": "https://shop.example/" + "x" * 1_979},
    {"description": "x" * 500},
    {"line_items": [{"name": "x" * 250, "quantity": 1, "unit_amount": 4999}]},
    {"line_items": [{"name": "gift", "quantity": 999_999, "unit_amount": 0},
                    {"name": "thing", "quantity": 1, "unit_amount": 4999}]},
    {"amount": 100, "line_items": [{"name": "a", "quantity": 1, "unit_amount": 1}] * 100},
    {"customer": {}},
    {"customer": {"id": "c" * 200, "email": "ada@example.com", "name": "Ada", "country": "GB"}},
    {"metadata": {"k" * 40: "v" * 500}},
    {"metadata": {f"k{n}": "" for n in range(50)}},
    {"expires_in": 2_100},
    {"expires_in": 86_100},
    {"locale": "pt-BR"},
    {"locale": "xx"},
    {"psp": "stripe", "payment_type": "SALE", "payment_method": "APM", "capture": "automatic"},
]  # fmt: skip


async def test_every_value_at_its_limit_is_taken(stage: Stage) -> None:
    for changes in AT_THE_LIMIT:
        reply = await stage.post(ORDERS, stage.wanted(**changes))
        assert reply.status == 201, (changes, reply.body)
        shown = reply.json
        for name in changes.keys() - {"customer", "expires_in", "locale", "capture"}:
            assert shown[name] == changes[name]


async def test_what_is_not_built_is_refused_as_not_supported(stage: Stage) -> None:
    before = await counted(stage.rt)
    absent = {"payment_type": "RECC", "payment_method": "CARD", "capture": "manual"}
    for changes in (*({name: value} for name, value in absent.items()), absent):
        reply = await stage.post(ORDERS, stage.wanted(**changes))
        assert fields(check_problem(reply, 422, "not_supported")) == list(changes)
    assert await counted(stage.rt) == before


KEYS = ["sk_test_", "Bearer", "sk_test_" + "A" * 40, "sk_live_" + "0" * 40, "x" * 5_000, "é",
        "null", "undefined"]  # fmt: skip


async def test_a_key_that_is_not_ours_is_refused_unrepeated(stage: Stage) -> None:
    before = await counted(stage.rt)
    for key, how in ((key, how) for key in KEYS for how in ("Bearer {}", "{}", "Basic {}")):
        header = how.format(key)
        reply = await stage.send("POST", ORDERS, json=stage.wanted(), key=None,
                                 headers={"Authorization": header})  # fmt: skip
        check_problem(reply, 401, "unauthorized")
        assert reply.headers["www-authenticate"] == "Bearer"
        assert len(key) < 9 or key.encode() not in reply.body
    assert (await stage.send("POST", ORDERS, json=stage.wanted(), key=None)).status == 401
    assert await counted(stage.rt) == before


async def test_a_key_without_the_scope_is_refused(stage: Stage) -> None:
    _, key = await create_key(
        stage.rt, stage.merchant.merchant_id, "reads", ["payment_orders:read"]
    )
    reply = await stage.send("POST", ORDERS, json=stage.wanted(), key=key.reveal())
    check_problem(reply, 403, "forbidden")
    assert (await stage.send("GET", ORDERS, key=key.reveal())).status == 200


async def test_an_idempotency_key_is_one_and_visible_ascii(stage: Stage) -> None:
    before = await counted(stage.rt)
    for keys in ([""], [" "], ["a b"], ["x" * 256], ["é"], ["a\tb"], ["one", "two"], ["a", "a"]):
        sent = [("Idempotency-Key", key) for key in keys]
        reply = await stage.send("POST", ORDERS, json=stage.wanted(), headers=sent)
        assert fields(check_problem(reply, 422)) == ["Idempotency-Key"], keys
    assert await counted(stage.rt) == before


BAD_QUERIES = [
    *[(f"limit={value}", "limit")
      for value in ("0", "101", "-1", "x", "", "1.5", "1e1", "9" * 400)],
    *[(f"starting_after={value}", "starting_after")
      for value in ("", "x", "po_", "att_01h45ytscbebyvny4gc8cr8ma2", "po_" + "i" * 26, "%00",
                    "PO_01H45YTSCBEBYVNY4GC8CR8MA2", "%F0%9F%98%80", "x" * 4000)],
]  # fmt: skip
BAD_ORDER_QUERIES = [
    *[(f"payment_order_status={value}", "payment_order_status")
      for value in ("", "paid", "succeeded", "SUCCEEDED,FAILED")],
    *[(f"{name}={value}", name) for name in ("created_gte", "created_lt")
      for value in ("", "yesterday", "2026-11-22", "2026-11-22T10:00:00", "1763800000",
                    "2026-13-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00",
                    "9999-12-31T23:59:59-14:00", "2026-11-22T10:00:00+00:00")],
    *[(f"{name}=%00", name) for name in ("reference", "psp", "customer")],
]  # fmt: skip


async def test_every_wrong_query_value_is_named(stage: Stage) -> None:
    lists = [ORDERS, "/v1/ledger/postings", "/v1/events", "/v1/webhook-endpoints"]
    wrong = [(path, query, field) for path in lists for query, field in BAD_QUERIES]
    wrong += [(ORDERS, query, field) for query, field in BAD_ORDER_QUERIES]
    wrong += [("/v1/events", "type=no.such", "type")]
    wrong += [(path, "payment_order=po_1", "payment_order") for path in lists[1:3]]
    for path, query, field in wrong:
        reply = await stage.get(f"{path}?{query}")
        assert fields(check_problem(reply, 422)) == [field], (path, query, reply.body)


async def test_an_unknown_query_name_is_refused_and_never_passed_over(stage: Stage) -> None:
    made = (await stage.post(ORDERS, stage.wanted())).json["id"]
    lists = [ORDERS, "/v1/ledger/postings", "/v1/events", "/v1/webhook-endpoints"]
    for path in (*lists, "/v1/ledger/accounts", f"{ORDERS}/{made}", f"{ORDERS}/{made}/timeline"):
        reply = await stage.get(f"{path}?status=PENDING&Limit=5&x")
        assert fields(check_problem(reply, 422)) == ["status", "Limit", "x"], path
    reply = await stage.send("POST", f"{ORDERS}?reference=W-9", json=stage.wanted())
    assert fields(check_problem(reply, 422)) == ["reference"]
    (error,) = (await stage.get(f"{ORDERS}?status=PENDING")).json["errors"]
    assert "payment_order_status" in error["message"]
    assert len((await stage.get(ORDERS)).json["data"]) == 1


async def test_query_values_that_fit_nothing_give_an_empty_list(stage: Stage) -> None:
    await stage.post(ORDERS, stage.wanted())
    for query in ("reference=none", "customer=%FF%FE", "psp=acme", "payment_order_status=FAILED",
                  "created_gte=2999-01-01T00:00:00Z", "created_lt=0001-01-01T00:00:00Z",
                  "starting_after=po_00000000000000000000000000"):  # fmt: skip
        reply = await stage.get(f"{ORDERS}?{query}")
        assert (reply.status, reply.json["data"]) == (200, []), query
    assert len((await stage.get(ORDERS)).json["data"]) == 1


MALFORMED_IDS = ["x", "po_", "po_%00", "po_" + "i" * 26, "att_01h45ytscbebyvny4gc8cr8ma2",
                 "%2e%2e", "PO_01H45YTSCBEBYVNY4GC8CR8MA2", "po_01h45ytscbebyvny4gc8cr8ma2%0a",
                 "%ff%fe", "';%20DROP%20TABLE%20payment_orders;--", "x" * 4_000]  # fmt: skip


async def test_a_malformed_id_is_not_found(stage: Stage) -> None:
    before = await counted(stage.rt)
    for path in (ORDERS, "/v1/ledger/postings", "/v1/events", "/v1/webhook-endpoints"):
        for bad in MALFORMED_IDS:
            check_problem(await stage.get(f"{path}/{bad}"), 404)
    for bad in MALFORMED_IDS:
        check_problem(await stage.get(f"{ORDERS}/{bad}/timeline"), 404)
        check_problem(await stage.send("GET", f"/return/{bad}?t=x"), 404)
        check_problem(await stage.send("POST", f"/psp/stripe/{bad}/notices", data=b"{}"), 404)
    assert await counted(stage.rt) == before


async def test_the_bare_address_says_what_answers_here(stage: Stage) -> None:
    shown = await stage.send("GET", "/", key=None)
    assert (shown.status, shown.json["name"]) == (200, "payloom")
    assert (await stage.send("GET", shown.json["openapi"], key=None)).status == 200


async def test_other_methods_and_paths_are_refused(stage: Stage) -> None:
    made = (await stage.post(ORDERS, stage.wanted())).json
    before = await counted(stage.rt)
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"):
        check_problem(await stage.send(method, ORDERS), 405, "method_not_allowed")
        check_problem(await stage.send(method, f"{ORDERS}/{made['id']}"), 405)
    check_problem(await stage.send("POST", f"{ORDERS}/{made['id']}", json={}), 405)
    check_problem(await stage.send("DELETE", "/healthz"), 405)
    connection = ids.text("con", stage.connection_id)
    check_problem(await stage.send("GET", f"/psp/stripe/{connection}/notices"), 405)
    for path in ("/v1", "/v1/", "/v2/payment-orders", f"{ORDERS}/", "/docs",
                 "/redoc", f"{ORDERS}/{made['id']}/", f"{ORDERS}/{made['id']}/x"):  # fmt: skip
        check_problem(await stage.send("GET", path), 404, "not_found")
    check_problem(await stage.send("POST", f"{ORDERS}/", json=stage.wanted()), 404)
    assert await counted(stage.rt) == before
