"""A log line is one JSON object with one correlation id, and holds no secret or card (F28)."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import dataclasses, json, logging, sys
import structlog
from payloom.core import log
from payloom.core.secret import Secret

@dataclasses.dataclass
class Answer:
    body: str

card, key = "4242424242424242", "sk_test_" + "a" * 20
early = structlog.get_logger()  # as modules do, before anything is set up
log.configure("INFO", process="test")
out = structlog.get_logger()
early.info("early", text=card)
out.debug("too.quiet")
with structlog.contextvars.bound_contextvars(correlation_id="req_1"):
    out.info("fields", text=f"a {card} b", key=f"Bearer {key}", data=key.encode(), number=int(card))
    out.warning("nested", deep={"a": [{"b": card}, (key,)]}, kind={key}, answer=Answer(key))
    out.info("harmless", count=3, share=0.5, done=True, none=None, secret=Secret(key), word="Grüße")
try:
    raise ValueError(f"refused {card} with {key}")
except ValueError as error:
    out.error("broken", error=error, exc_info=error)
out.info(f"event with {card}")
out.info("two\\nlines")
try:
    raise ValueError(f"refused {card} with {key}")
except ValueError:
    logging.getLogger("library").exception("failed with %s", key)
logging.getLogger("library").info("too quiet")
print(json.dumps([card, key]))
"""


@pytest.fixture(scope="module")
def told() -> tuple[list[str], list[str]]:
    """What a process wrote to its log, and what must not be in there."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines(), json.loads(done.stdout)


def lines(told: tuple[list[str], list[str]]) -> dict[str, dict[str, object]]:
    """Our own lines by their event."""
    parsed = [json.loads(line) for line in told[0] if line.startswith("{")]
    return {line["event"]: line for line in parsed}


def test_no_line_holds_a_secret_or_a_card_whatever_wrote_it(
    told: tuple[list[str], list[str]],
) -> None:
    text = "\n".join(told[0])
    assert [each for each in told[1] if each in text] == []
    assert "[card]" in text
    assert "[secret]" in text


def test_every_fact_is_one_line_with_its_time_level_and_process(
    told: tuple[list[str], list[str]],
) -> None:
    by_event = lines(told)
    assert list(by_event) == [
        "early", "fields", "nested", "harmless", "broken", "event with [card]", "two\nlines",
    ]  # fmt: skip
    assert {line["process"] for line in by_event.values()} == {"test"}
    assert [line["level"] for line in by_event.values()][:5] == [
        "info", "info", "warning", "info", "error",
    ]  # fmt: skip
    assert all(str(line["timestamp"]).endswith("Z") for line in by_event.values())


def test_the_correlation_id_is_on_each_line_of_its_request_and_on_no_other(
    told: tuple[list[str], list[str]],
) -> None:
    having = [event for event, line in lines(told).items() if "correlation_id" in line]
    assert having == ["fields", "nested", "harmless"]


def test_what_is_harmless_is_written_as_it_is(told: tuple[list[str], list[str]]) -> None:
    line = lines(told)["harmless"]
    assert [line[name] for name in ("count", "share", "done", "none")] == [3, 0.5, True, None]
    assert (line["secret"], line["word"]) == ("Secret(…)", "Grüße")


def test_an_exception_brings_its_traceback(told: tuple[list[str], list[str]]) -> None:
    assert "Traceback" in str(lines(told)["broken"]["exception"])
    assert any(line.startswith("library failed with [secret]") for line in told[0])
    assert not any("too quiet" in line for line in told[0])
