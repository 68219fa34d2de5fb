"""Retries: quick at first, over three days, spread as wide as the pause."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from payloom.webhooks.schedule import PAUSES, next_try

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_pauses_grow_and_last_three_days() -> None:
    assert all(shorter < longer for shorter, longer in pairwise(PAUSES))
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=3.5)


@pytest.mark.parametrize("tries", range(1, len(PAUSES) + 1))
def test_chance_spreads_a_try_around_its_pause(tries: int) -> None:
    pause = PAUSES[tries - 1]
    assert next_try(tries, NOW, 0.0) == NOW + pause / 2
    assert next_try(tries, NOW, 0.5) == NOW + pause
    assert next_try(tries, NOW, 1.0) == NOW + pause * 1.5


def test_after_the_last_pause_there_is_no_other_try() -> None:
    assert next_try(len(PAUSES), NOW, 0.5) is not None
    assert next_try(len(PAUSES) + 1, NOW, 0.5) is None
