"""Mutants are judged by the same sandbox as the stories."""

from tests.scenarios.conftest import sandbox_url as sandbox_url
