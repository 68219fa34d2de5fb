"""Merchants, keys, connections and endpoints, from the first command on."""

import os
from pathlib import Path
from uuid import UUID

from payloom import __version__
from payloom.core import ids
from payloom.core.master_keys import MasterKeys
from payloom.runtime import running
from payloom.settings import Settings
from tests.cli.conftest import Cli
from tests.webhooks.rows import events, tell

PSP_KEY = "sk_test_" + "k" * 24
WEBHOOK_SECRET = "whsec_" + "s" * 32


async def test_a_merchant_is_made_with_all_it_needs(cli: Cli) -> None:
    made = await cli.merchant()
    assert set(made) == {"merchant_id", "api_key", "return_secret"}
    assert made["merchant_id"].startswith("mer_")
    assert made["api_key"].startswith("sk_test_")
    listed = (await cli("merchants", "list", "--json")).json["data"]
    assert [each["merchant_id"] for each in listed] == [made["merchant_id"]]
    assert [each["name"] for each in listed] == ["Corner Shop"]
    assert UUID(listed[0]["uuid"]) == ids.parse("mer", made["merchant_id"])


async def test_without_json_each_secret_is_whole_on_its_line(cli: Cli) -> None:
    made = await cli("merchants", "create", "Corner Shop", "--mode", "live", COLUMNS="20")
    names = [line.split()[0] for line in made.out.splitlines()[:3]]
    assert names == ["merchant_id", "api_key", "return_secret"]
    assert any(line.split()[-1].startswith("sk_live_") for line in made.out.splitlines())


async def test_a_key_has_the_scopes_it_was_given_and_can_be_revoked(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    made = await cli(
        *("keys", "create", "--merchant", merchant, "--name", "reports"),
        *("--scope", "ledger:read", "--scope", "events:read", "--expires-in-days", "7", "--json"),
    )
    assert made.json["scopes"] == ["ledger:read", "events:read"]
    assert made.json["expires_at"] is not None
    key = made.json["key_id"]
    revoked = await cli("keys", "revoke", key, "--merchant", merchant, "--json")
    assert revoked.json == {"key_id": key, "revoked": True}
    shown = await cli("keys", "revoke", key, "--merchant", merchant)
    assert shown.out.splitlines()[-1].split() == ["revoked", "yes"]
    scopes = ("--scope", "ledger:read", "--scope", "events:read")
    shown = await cli("keys", "create", "--merchant", merchant, "--name", "more", *scopes)
    assert "scopes       ledger:read, events:read\n" in shown.out
    listed = (await cli("keys", "list", "--merchant", merchant, "--json")).json["data"]
    assert {each["name"]: each["revoked_at"] is not None for each in listed} == {
        "first key": False,
        "reports": True,
        "more": False,
    }


async def test_a_wrong_scope_is_told_and_makes_no_key(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    refused = await cli("keys", "create", "--merchant", merchant, "--scope", "everything")
    assert refused.code == 2
    assert refused.err.startswith("payloom: scopes: there is no scope 'everything'")
    assert len((await cli("keys", "list", "--merchant", merchant, "--json")).json["data"]) == 1


async def test_a_connection_takes_its_secrets_from_the_environment(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    made = await cli(
        *("connections", "add", "stripe", "--merchant", merchant, "--json"),
        *("--api-base", "http://127.0.0.1:9"),
        STRIPE_API_KEY=PSP_KEY,
        STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
    )
    connection = made.json["connection_id"]
    assert made.json["notices_url"].endswith(f"/psp/stripe/{connection}/notices")
    (listed,) = (await cli("connections", "list", "--json")).json["data"]
    assert listed["connection_id"] == connection
    assert listed["secrets"] == ["api_key", "webhook_secret"]
    assert PSP_KEY not in made.out + made.err


async def test_a_connection_takes_its_secrets_from_a_file(cli: Cli, tmp_path: Path) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    file = tmp_path / "stripe.env"
    file.write_text(f"# from the vault\nSTRIPE_API_KEY = '{PSP_KEY}'\n")
    made = await cli(
        "connections", "add", "stripe", "--merchant", merchant, "--from-file", str(file), "--json"
    )
    assert made.code == 0, made.err
    kept = await cli(
        *("connections", "add-secret", made.json["connection_id"], "--merchant", merchant),
        "--json",
        STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
    )
    assert kept.json == {
        "connection_id": made.json["connection_id"],
        "kept_as": "webhook_secret",
    }


async def test_a_missing_or_wrong_secret_is_named_and_never_repeated(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    missing = await cli("connections", "add", "stripe", "--merchant", merchant)
    assert (missing.code, missing.err) == (
        2,
        "payloom: STRIPE_API_KEY: not in the environment\n",
    )
    wrong = await cli(
        "connections", "add", "stripe", "--merchant", merchant, STRIPE_API_KEY="sk_live_" + "x" * 24
    )
    assert wrong.code == 2
    assert wrong.err.startswith("payloom: api_key: must be")
    assert "xxxx" not in wrong.err
    assert (await cli("connections", "list", "--json")).json == {"data": []}


async def test_no_command_takes_a_secret_as_an_argument(cli: Cli) -> None:
    for command in (("connections", "add"), ("connections", "add-secret"), ("merchants", "create")):
        shown = (await cli(*command, "--help", COLUMNS="200")).out
        for word in ("--api-key", "--secret", "--webhook-secret", "--password"):
            assert word not in shown


async def test_a_webhook_endpoint_answers_its_secret_once(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    made = await cli(
        *("webhook-endpoints", "create", "--merchant", merchant, "--json"),
        *("--url", "https://shop.example/hooks", "--event-type", "payment_order.succeeded"),
    )
    assert made.json["event_types"] == ["payment_order.succeeded"]
    assert made.json["secret"].startswith("whsec_")
    here = await cli(
        "webhook-endpoints", "create", "--merchant", merchant, "--url", "http://127.0.0.1:1/x"
    )
    assert (here.code, "must not lead to this machine" in here.err) == (2, True)
    assert "PAYLOOM_WEBHOOKS_TO_LOOPBACK=yes" in here.err


async def test_a_webhook_endpoint_is_listed_rotated_and_enabled(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    made = (
        await cli(
            *("webhook-endpoints", "create", "--merchant", merchant, "--json"),
            *("--url", "https://shop.example/hooks"),
        )
    ).json
    of_merchant = ("--merchant", merchant, "--json")
    rotated = await cli("webhook-endpoints", "rotate-secret", made["id"], *of_merchant)
    assert rotated.json["secret"].startswith("whsec_")
    assert rotated.json["secret"] != made["secret"]
    assert rotated.json["old_secret_ends_at"].endswith("Z")
    listed = await cli("webhook-endpoints", "list", *of_merchant)
    (shown,) = listed.json["data"]
    assert (shown["id"], shown["disabled_at"]) == (made["id"], None)
    assert "whsec_" not in listed.out
    enabled = await cli("webhook-endpoints", "enable", made["id"], *of_merchant)
    assert enabled.json == shown
    unknown = await cli("webhook-endpoints", "enable", made["id"][:-1] + "z", *of_merchant)
    assert (unknown.code, "Traceback" in unknown.err) == (1, False)


async def test_an_event_is_redelivered_to_all_or_to_one(
    cli: Cli, dsn: str, settings: Settings
) -> None:
    of_merchant = ("--merchant", (await cli.merchant())["merchant_id"], "--json")
    url = ("--url", "https://shop.example/hooks")
    ends = [
        (await cli("webhook-endpoints", "create", *url, *of_merchant)).json["id"] for _ in range(2)
    ]
    async with running(settings, dsn, MasterKeys([bytes(32)])) as rt:
        await tell(rt, ids.parse("mer", of_merchant[1]))
        event = ids.text("evt", (await events(rt))[0]["id"])
    everywhere = await cli("webhook-endpoints", "redeliver", event, *of_merchant)
    assert {each["endpoint"] for each in everywhere.json["data"]} == set(ends)
    assert {each["state"] for each in everywhere.json["data"]} == {"pending"}
    one = await cli("webhook-endpoints", "redeliver", event, "--endpoint", ends[0], *of_merchant)
    assert [each["endpoint"] for each in one.json["data"]] == ends[:1]
    unknown = await cli("webhook-endpoints", "redeliver", event[:-1] + "z", *of_merchant)
    assert (unknown.code, unknown.out) == (1, "")


async def test_an_unknown_merchant_is_one_sentence_and_exit_code_1(cli: Cli) -> None:
    nobody = await cli("keys", "create", "--merchant", "mer_01h45ytscbebyvny4gc8cr8ma2")
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err == "payloom: There is no such merchant\n"


async def test_all_wrong_settings_are_told_at_once(bare: Cli) -> None:
    told = await bare("merchants", "list", PAYLOOM_LOG_LEVEL="LOUD", PAYLOOM_DATABASE_POOL="x")
    assert told.code == 2
    assert "PAYLOOM_LOG_LEVEL" in told.err
    assert "PAYLOOM_DATABASE_POOL" in told.err
    assert "Traceback" not in told.err


async def test_a_demo_that_cannot_write_to_its_home_says_so(bare: Cli, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    refused = await bare("demo", PAYLOOM_HOME=str(file / "home"))
    assert refused.code == 1
    assert refused.err.startswith(f"payloom: The demo cannot write to {file / 'home'} (")
    assert "set PAYLOOM_HOME to a directory of yours" in refused.err


async def test_help_lists_every_command_and_comes_at_once(bare: Cli) -> None:
    shown = (await bare("--help", COLUMNS="200")).out
    commands = "demo serve worker sandbox explain db merchants keys connections ledger"
    assert all(f" {name} " in shown for name in commands.split())
    loaded = await bare("--help", PYTHONPROFILEIMPORTTIME="1")
    heavy = {"asyncpg", "fastapi", "aiohttp", "stripe", "pydantic", "uvicorn"}
    assert not {line.rpartition("|")[2].strip() for line in loaded.err.splitlines()} & heavy


async def test_the_version_is_told_before_anything_else_is_read(bare: Cli) -> None:
    told = await bare("--version", PAYLOOM_LOG_LEVEL="LOUD")
    assert (told.code, told.out) == (0, f"payloom {__version__}\n")


async def test_a_master_key_that_is_not_the_one_is_told(cli: Cli) -> None:
    merchant = (await cli.merchant())["merchant_id"]
    other = cli.without(PAYLOOM_MASTER_KEY="A" * 43 + "=")
    refused = await other(
        "connections", "add", "stripe", "--merchant", merchant, STRIPE_API_KEY=PSP_KEY
    )
    assert refused.code == 1
    assert "master key" in refused.err
    assert "Traceback" not in refused.err


def test_the_environment_of_these_tests_holds_no_settings() -> None:
    assert [name for name in os.environ if name.startswith("PAYLOOM_")] == []
