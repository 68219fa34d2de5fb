"""pytest, and a last line that says what was not tested.

A test whose browser, Stripe CLI or SDK for Node.js cannot be had is skipped where a person runs
`make test`, and is a failure where CI=true: nobody there would read of it.
"""

import os
import sys

import pytest

from tests import browser, stripe_cli


class _Skips:
    """Remembers what was skipped."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.names.append(report.nodeid)


def _why() -> str:
    programs = {
        "browser": browser.executable(),
        "Stripe CLI": stripe_cli.executable(),
        "Stripe SDK for Node.js": stripe_cli.node_modules(),
    }
    absent = " and no ".join(name for name, path in programs.items() if not path)
    return f" (no {absent} can be had here)" if absent else ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:5])


def main() -> int:
    skips = _Skips()
    # A file's tests stay together: some share a demo or a cluster that takes seconds to make.
    code = int(pytest.main(["-q", "--dist", "loadfile", *sys.argv[1:]], plugins=[skips]))
    if not skips.names:
        return code
    print(f"NOT TESTED: {len(skips.names)} tests were skipped{_why()}: {_few(skips.names)}")
    return code or int(os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main())
