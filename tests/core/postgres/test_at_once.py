"""Several starters in the same moment."""

import signal
from contextlib import ExitStack
from os import kill
from pathlib import Path

import pytest

from tests.core.postgres.callers import Caller, answer_of, postmasters

STARTERS = 4


@pytest.mark.parametrize("before", ["nothing", "a stopped server", "a killed server"])
def test_starters_at_once_share_one_server(caller: Caller, home: Path, before: str) -> None:
    if before != "nothing":
        earlier = caller.run("dsn", home)
    if before == "a stopped server":
        caller.run("stop", home)
    if before == "a killed server":
        kill(earlier["pid"], signal.SIGKILL)

    with ExitStack() as stack:
        starters = [stack.enter_context(caller.start("dsn", home)) for _ in range(STARTERS)]
        answers = [{**answer_of(starter), "took_s": 0} for starter in starters]
    assert answers == answers[:1] * STARTERS
    assert [server.pid for server in postmasters(answers[0]["data"])] == [answers[0]["pid"]]
