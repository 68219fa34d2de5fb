"""The environment is read once, strictly, and told back without its secrets."""

import base64
from pathlib import Path

import pytest

from payloom.core.points import CrashAt
from payloom.settings import BadSettings, Settings

CANARY = "canary-5f3a"
KEY = base64.b64encode(b"k" * 32).decode()
HOME = {"HOME": "/home/ann"}


def mistakes(**environ: str) -> list[str]:
    with pytest.raises(BadSettings) as bad:
        Settings.from_env(HOME | environ)
    assert str(bad.value).splitlines() == bad.value.mistakes
    return bad.value.mistakes


def test_an_empty_environment_is_enough() -> None:
    settings = Settings.from_env(HOME)
    assert settings.home == Path("/home/ann/.local/share/payloom")
    assert settings.public_url == "http://127.0.0.1:8400"
    assert (settings.database_pool, settings.log_level) == (10, "INFO")
    assert not settings.webhooks_to_loopback
    assert settings.crash_at is None
    assert (settings.database_url, settings.migrate_database_url, settings.master_key) == (
        None,
    ) * 3
    assert Settings.from_env(HOME, is_root=True).home == Path("/var/lib/payloom")


def test_every_setting_is_read() -> None:
    url = f"postgresql://payloom_app:{CANARY}@db1,db2/payloom"
    settings = Settings.from_env(
        {
            "PAYLOOM_HOME": "/srv/pay",
            "PAYLOOM_DATABASE_URL": url,
            "PAYLOOM_MIGRATE_DATABASE_URL": url + "?sslmode=verify-full",
            "PAYLOOM_MASTER_KEY": f" {KEY}\n",
            "PAYLOOM_PUBLIC_URL": "https://pay.example.com/",
            "PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes",
            "PAYLOOM_DATABASE_POOL": "100",
            "PAYLOOM_LOG_LEVEL": "ERROR",
            "PAYLOOM_CRASH_AT": "register.placed:3",
        }
    )
    assert settings.home == Path("/srv/pay")
    assert settings.database_url
    assert settings.migrate_database_url
    assert settings.master_key
    assert settings.database_url.reveal() == url
    assert settings.migrate_database_url.reveal() == url + "?sslmode=verify-full"
    assert settings.master_key.reveal() == KEY
    assert settings.public_url == "https://pay.example.com"
    assert (settings.database_pool, settings.log_level) == (100, "ERROR")
    assert settings.crash_at == CrashAt("register.placed", 3)
    assert settings.webhooks_to_loopback


def test_all_mistakes_are_told_together_each_by_its_name() -> None:
    told = mistakes(
        PAYLOOM_DATABASE_URL="mysql://db/payloom",
        PAYLOOM_MIGRATE_DATABASE_URL="db.example.com",
        PAYLOOM_MASTER_KEY="short",
        PAYLOOM_PUBLIC_URL="pay.example.com",
        PAYLOOM_WEBHOOKS_TO_LOOPBACK="maybe",
        PAYLOOM_DATABASE_POOL="1",
        PAYLOOM_LOG_LEVEL="LOUD",
        PAYLOOM_DATABSE_POOL="10",
    )
    assert [line.partition(":")[0] for line in told] == [
        "PAYLOOM_DATABASE_URL",
        "PAYLOOM_MIGRATE_DATABASE_URL",
        "PAYLOOM_MASTER_KEY",
        "PAYLOOM_PUBLIC_URL",
        "PAYLOOM_WEBHOOKS_TO_LOOPBACK",
        "PAYLOOM_DATABASE_POOL",
        "PAYLOOM_LOG_LEVEL",
        "PAYLOOM_DATABSE_POOL",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            ("PAYLOOM_DATABASE_POOL", v)
            for v in ("0", "101", "-5", "1e1", "ten", "٣٣", "9" * 5_000)
        ],
        *[
            ("PAYLOOM_PUBLIC_URL", v)
            for v in ("ftp://a", "https://", "//a", "https://a?b=c", "http://[::1", "http://a:port")
        ],
        *[("PAYLOOM_MASTER_KEY", v) for v in ("é" * 44, KEY[:-4], KEY + KEY, KEY[:-1], "!" + KEY)],
        *[("PAYLOOM_DATABASE_URL", v) for v in ("postgresql://[::1", "/var/run", "sqlite:///x")],
        *[("PAYLOOM_LOG_LEVEL", v) for v in ("info", "NOTSET", "TRACE")],
        *[("PAYLOOM_WEBHOOKS_TO_LOOPBACK", v) for v in ("true", "1", "YES")],
        *[
            ("PAYLOOM_CRASH_AT", v)
            for v in ("register.placed", "register:1", "a.b:0", "a.b:-1", "a.b:1e1", "yes", "A.b:1")
        ],
        ("PAYLOOM_", "x"),
        ("PAYLOOM_DATABASE", "x"),
    ],
)
def test_what_cannot_be_right_is_a_sentence_and_never_a_crash(name: str, value: str) -> None:
    others = {} if name == "PAYLOOM_MASTER_KEY" else {"PAYLOOM_MASTER_KEY": KEY}
    (told,) = mistakes(**others, **{name: value})
    assert told.startswith(f"{name}: ")
    assert len(told) < 200


def test_a_database_of_ones_own_needs_a_key_of_ones_own() -> None:
    (told,) = mistakes(PAYLOOM_DATABASE_URL="postgresql://db/payloom")
    assert told.startswith("PAYLOOM_MASTER_KEY: needed")


def test_an_owner_without_an_app_role_would_be_another_database_and_is_refused() -> None:
    (told,) = mistakes(PAYLOOM_MIGRATE_DATABASE_URL="postgresql://owner@db/payloom")
    assert told.startswith("PAYLOOM_MIGRATE_DATABASE_URL: set PAYLOOM_DATABASE_URL as well")


def test_no_secret_shows_in_what_is_printed_of_settings() -> None:
    secret_key = base64.b64encode(CANARY.encode().ljust(32)).decode()
    settings = Settings.from_env(
        HOME
        | {
            "PAYLOOM_DATABASE_URL": f"postgresql://app:{CANARY}@db/payloom",
            "PAYLOOM_MIGRATE_DATABASE_URL": f"postgresql://owner:{CANARY}@db/payloom",
            "PAYLOOM_MASTER_KEY": secret_key,
        }
    )
    for shown in (repr(settings), str(settings), f"{settings}"):
        assert CANARY not in shown
        assert secret_key not in shown


def test_a_mistake_in_a_secret_does_not_quote_it() -> None:
    told = mistakes(
        PAYLOOM_DATABASE_URL=f"postgre://app:{CANARY}@db/payloom", PAYLOOM_MASTER_KEY=CANARY
    )
    assert len(told) == 2
    assert CANARY not in "".join(told)
