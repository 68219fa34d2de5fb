"""The schema that people read is the one that databases have."""

from tests.core.dump_schema import SCHEMA, dumped


def test_the_schema_on_file_is_what_the_migrations_make() -> None:
    assert SCHEMA.read_text() == dumped(), "run `python -m tests.core.dump_schema`"
