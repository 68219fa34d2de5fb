"""Storms play on the stage of the stories, and end with the same invariants."""

from tests.scenarios.conftest import sandbox_url, stage

__all__ = ["sandbox_url", "stage"]
