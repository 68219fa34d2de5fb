"""payloom connections …: secrets are replaced and removed, with a word for every slip."""

import pytest

from tests.cli.conftest import Cli

KEY, OTHER = "sk_test_51HabcDEFghi", "sk_test_51HxyzXYZxyz"
HOOK = "whsec_" + "a" * 32


@pytest.fixture
async def connected(cli: Cli) -> tuple[str, ...]:
    """A connection, as arguments: its id, then whose it is."""
    merchant = (await cli.merchant())["merchant_id"]
    made = await cli(
        "connections", "add", "stripe", "--merchant", merchant, "--json",
        STRIPE_API_KEY=KEY, STRIPE_WEBHOOK_SECRET=HOOK,
    )  # fmt: skip
    assert made.code == 0, made.err
    return made.json["connection_id"], "--merchant", merchant


async def test_a_key_that_opened_nothing_yet_is_replaced_untried(
    cli: Cli, connected: tuple[str, ...]
) -> None:
    con, *whose = connected
    replace = ("connections", "replace-secret", con, "api_key", *whose)
    done = await cli(*replace, "--json", STRIPE_API_KEY=OTHER)
    assert (done.code, done.json["replaced"], done.json["tried"]) == (0, "api_key", False)
    assert OTHER not in done.out + done.err


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("api_kex", {"STRIPE_API_KEY": OTHER}, "it has api_key, webhook_secret"),
        ("api_key", {}, "STRIPE_API_KEY: not in the environment"),
        ("api_key", {"STRIPE_API_KEY": "sk_live_51HxyzXYZxyz"}, "in test mode"),
        ("webhook_secret", {"STRIPE_WEBHOOK_SECRET": "nonsense"}, "webhook_secret: must be"),
        ("webhook_secret_9", {"STRIPE_WEBHOOK_SECRET": HOOK}, "no such credential"),
    ],
)
async def test_a_slip_is_told_and_changes_nothing(
    cli: Cli, connected: tuple[str, ...], field: str, given: dict[str, str], told: str
) -> None:
    con, *whose = connected
    refused = await cli("connections", "replace-secret", con, field, *whose, **given)
    assert refused.code == 2
    assert told in refused.err
    assert not [secret for secret in given.values() if secret in refused.err]


async def test_a_webhook_secret_is_added_and_an_older_one_removed_but_not_the_last(
    cli: Cli, connected: tuple[str, ...]
) -> None:
    con, *whose = connected
    remove = ("connections", "remove-secret", con, "webhook_secret", *whose)
    refused = await cli(*remove)
    assert (refused.code, "is the last one" in refused.err) == (2, True)
    added = await cli(
        "connections", "add-secret", con, *whose, STRIPE_WEBHOOK_SECRET="whsec_" + "b" * 32
    )
    assert added.code == 0, added.err
    removed = await cli(*remove, "--json")
    assert removed.json == {"connection_id": con, "removed": "webhook_secret"}
    listed = await cli("connections", "list", "--json")
    assert listed.json["data"][0]["secrets"] == ["api_key", "webhook_secret_2"]
