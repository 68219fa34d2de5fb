"""The documents say what the code says, lead somewhere, and their examples run."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from payloom.connectors.catalog import discover
from payloom.core import ids
from payloom.merchants.scopes import SCOPES
from payloom.notices.returns import way_on
from payloom.payments import decide
from payloom.payments.model import Order
from payloom.payments.states import State, Status
from payloom.refunds import shown
from payloom.settings import Settings
from payloom.shop.settings import Settings as ShopSettings
from payloom.webhooks.endpoints import new_secret
from payloom.webhooks.event_types import EVENT_TYPES
from payloom.webhooks.send import Message, signed_headers
from tests.docs import operating, paying
from tests.docs.advice import ADVICE
from tests.docs.markdown import block_names
from tests.generate_docs import BLOCKS, DOCS, OPENAPI, ROOT, pages, wanted

REFERENCE = DOCS / "reference"
PICTURE_BYTES_MAX = 150_000
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*pages(), OPENAPI], ids=_name)
def test_a_page_holds_what_the_code_says(path: Path) -> None:
    assert path.exists(), "run `make docs`"
    assert path.read_text() == wanted()[path], "run `make docs`"


def test_every_block_is_on_some_page() -> None:
    assert {name for page in pages() for name in block_names(page.read_text())} == set(BLOCKS)


# --- nothing is left out -----------------------------------------------------------------------


def _told(name: str) -> str:
    return (REFERENCE / name).read_text()


def _missing(page: str, things: Iterator[str] | list[str]) -> list[str]:
    text = _told(page)
    return [thing for thing in things if f"`{thing}`" not in text]


def test_every_setting_is_documented() -> None:
    for prefix, settings in (("PAYLOOM", Settings), ("SHOP", ShopSettings)):
        names = [f"{prefix}_{field.name.upper()}" for field in fields(settings)]
        assert _missing("settings.md", names) == []


def test_every_event_type_is_documented() -> None:
    assert _missing("events.md", list(EVENT_TYPES)) == []


def test_every_error_code_is_documented_with_advice() -> None:
    codes = set(paying.error_codes())
    assert _missing("errors.md", list(codes)) == []
    assert set(ADVICE) == codes


def test_every_state_and_status_is_documented() -> None:
    assert _missing("states.md", [*State, *Status]) == []


def test_every_reason_for_attention_is_documented() -> None:
    reasons = re.findall(r'return "([a-z_]+)"', inspect.getsource(decide._mismatch))
    assert len(reasons) > 2
    assert _missing("states.md", [*reasons, shown.NOT_RETURNED, shown.TOO_MUCH]) == []


def test_every_metric_is_documented() -> None:
    assert _missing("metrics.md", list(operating.named_metrics())) == []


def test_every_command_is_documented() -> None:
    told = _told("cli.md")
    commands = operating.every_command()
    assert commands
    assert [name for name in commands if f"\n### {name}\n" not in told] == []


def test_every_scope_and_credential_is_documented() -> None:
    assert _missing("scopes.md", list(SCOPES)) == []
    named = [field.env for spec in discover().values() for field in spec.credential_fields]
    assert _missing("connectors.md", named) == []


def test_every_route_is_documented() -> None:
    told = _told("api.md")
    paths = [route.path for route in paying.every_route()]
    assert len(paths) > 10
    short = [re.sub(r"\{(\w+)[^}]*\}", r"{\1}", path) for path in paths]
    assert [path for path in short if path not in told] == []


def test_every_dependency_is_documented_and_none_that_is_gone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    used = {re.split(r"[<>=!~;\[ ]", each)[0] for each in chain.from_iterable(lists)}
    told = set(re.findall(r"^\| `([\w-]+)` \|", _told("dependencies.md"), re.MULTILINE))
    assert told == used


def test_every_decision_is_numbered_and_has_the_five_parts() -> None:
    records = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for part in ("Context.", "Decision.", "Consequences.", "Alternatives", "Enforced by"):
            assert f"**{part}" in text, f"{path.name}: {part}"


def test_what_decisions_name_as_enforcing_them_is_there() -> None:
    missing = []
    for path in (DOCS / "decisions").glob("0*.md"):
        for name in re.findall(r"`([\w/.]+(?:\.py|\.sql|/))`", path.read_text()):
            places = (ROOT / name, ROOT / "src" / "payloom" / name)
            missing += [f"{path.name}: {name}"] if not any(p.exists() for p in places) else []
    allowed = {"0013-layers.md: ledger/api.py"}  # what we did not do
    assert [each for each in missing if not each.endswith("queries.py")] == sorted(allowed)


# --- everything leads somewhere ----------------------------------------------------------------


def _links(page: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", page.read_text()))


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def _local(page: Path) -> Iterator[tuple[str, Path, str]]:
    for link in _links(page):
        if not urlsplit(link).scheme:
            path, _, anchor = link.partition("#")
            yield link, (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_no_link_is_broken(page: Path) -> None:
    broken = [
        link
        for link, target, anchor in _local(page)
        if not target.exists() or (anchor and anchor not in _anchors(target))
    ]
    assert broken == []


def test_every_page_is_reachable_from_the_first() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.is_file():
            seen.add(page)
            linked = _local(page) if page.suffix == ".md" and page.is_relative_to(DOCS) else ()
            waiting += [target for _, target, _ in linked]
    ours = set(DOCS.rglob("*.md"))
    assert sorted(_name(path) for path in ours - seen) == []


def test_every_picture_is_shown_with_words_for_who_cannot_see_it() -> None:
    shown = {target for page in pages() for _, target, _ in _local(page)}
    assert set(DOCS.rglob("*.png")) <= shown
    silent = [page.name for page in pages() if re.search(r"!\[\s*\]\(", page.read_text())]
    assert silent == []


def test_pictures_are_small() -> None:
    large = [p.name for p in DOCS.rglob("*.png") if p.stat().st_size > PICTURE_BYTES_MAX]
    assert large == []


# --- examples run ------------------------------------------------------------------------------


def _example(page: Path, name: str) -> dict[str, Any]:
    found = re.search(rf"^```python {name}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no example {name}"
    names: dict[str, Any] = {}
    exec(compile(found[1], page.name, "exec"), names)
    return names


def test_the_example_verifies_a_return_and_refuses_a_forged_one() -> None:
    is_genuine = _example(REFERENCE / "api.md", "verify_return")["is_genuine"]
    query = _returned_query("ret_secret")
    assert is_genuine(query, "ret_secret")
    assert not is_genuine(query, "ret_other")
    assert not is_genuine({**query, "payment_order_status": "FAILED"}, "ret_secret")


@pytest.mark.parametrize(
    "page", [DOCS / "how-to" / "receive-webhooks.md", ROOT / "README.md"], ids=_name
)
def test_the_example_verifies_a_delivery_and_refuses_a_forged_one(page: Path) -> None:
    read_event = _example(page, "verify_webhook")["read_event"]
    secret, body = new_secret(), '{"id":"evt_1","type":"payment_order.succeeded"}'
    message = Message(ids.new(), "https://shop.example/webhooks", body)
    headers = signed_headers(message, [secret], datetime.now(UTC))
    assert read_event(body.encode(), headers, secret.reveal())["id"] == "evt_1"
    with pytest.raises(Exception, match=r"(?i)signature"):
        read_event(body.encode() + b" ", headers, secret.reveal())


def _returned_query(secret: str) -> dict[str, str]:
    """What the shopper brings back; of an order only what the return tells is filled in."""
    told: dict[str, Any] = {field.name: None for field in fields(Order)}
    told |= {"id": ids.new(), "reference": "A-1001", "status": Status.SUCCEEDED}
    order = Order(**told | {"return_url": "https://shop.example/back?lang=de"})
    url = way_on(order, secret, datetime.now(UTC), canceled=False)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
