"""The command lines and environments of the demo's four programs. No secret is an argument."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from payloom.core.master_keys import MasterKeys
from payloom.demo.children import Program
from payloom.demo.home import Home
from payloom.demo.ports import HOST, Ports, any_free
from payloom.demo.state import State

OURS = ("PAYLOOM_", "SHOP_", "STRIPE_")


def sandbox(home: Home, ports: Ports) -> Program:
    command = ("sandbox", "--port", str(ports.sandbox), "--store", str(home.store("sandbox")))
    return Program(
        "sandbox", _payloom(*command), _environment({}), f"{ports.sandbox_url}/healthz", home
    )


def api(home: Home, ports: Ports, database_url: str, keys: MasterKeys) -> Program:
    environment = _environment(_payloom_settings(ports, database_url, keys))
    command = _payloom("serve", "--host", HOST, "--port", str(ports.api))
    return Program("api", command, environment, f"{ports.api_url}/readyz", home)


def worker(home: Home, ports: Ports, database_url: str, keys: MasterKeys) -> Program:
    port = any_free()
    environment = _environment(_payloom_settings(ports, database_url, keys))
    command = _payloom("worker", "--metrics-port", str(port))
    return Program("worker", command, environment, f"http://{HOST}:{port}/healthz", home)


def shop(home: Home, ports: Ports, state: State) -> Program:
    environment = _environment(
        {
            "SHOP_API_URL": ports.api_url,
            "SHOP_API_KEY": state.api_key,
            "SHOP_RETURN_SECRET": state.return_secret,
            "SHOP_WEBHOOK_SECRET": state.shop_webhook_secret,
            "SHOP_STORE": str(home.store("shop")),
            "SHOP_PUBLIC_URL": ports.shop_url,
        }
    )
    command = (sys.executable, "-m", "payloom.shop", "--host", HOST, "--port", str(ports.shop))
    return Program("shop", command, environment, f"{ports.shop_url}/healthz", home)


def _payloom_settings(ports: Ports, database_url: str, keys: MasterKeys) -> dict[str, str]:
    """With a URL the processes wait for the database instead of starting one of their own."""
    return {
        "PAYLOOM_DATABASE_URL": database_url,
        "PAYLOOM_MASTER_KEY": keys.setting.reveal(),
        "PAYLOOM_PUBLIC_URL": ports.api_url,
        "PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes",
    }


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what was meant for the supervisor."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **more}


def _payloom(*arguments: str) -> tuple[str, ...]:
    """The console script beside our interpreter, so that process lists read well."""
    script = Path(sys.executable).with_name("payloom")
    program = (str(script),) if script.exists() else ("-m", "payloom.cli")
    return (sys.executable, *program, *arguments)
