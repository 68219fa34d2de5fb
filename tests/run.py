"""pytest, and a last line that says what was not tested.

A browser test that cannot run is skipped where a person runs `make test`, and is a failure where
CI=true: nobody there would read of it.
"""

import os
import sys

import pytest

from tests import browser


class _Skips:
    """Remembers what was skipped."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.names.append(report.nodeid)


def main() -> int:
    skips = _Skips()
    # A file's tests stay together: some share a demo or a cluster that takes seconds to make.
    code = int(pytest.main(["-q", "--dist", "loadfile", *sys.argv[1:]], plugins=[skips]))
    if not skips.names:
        return code
    why = "" if browser.executable() else " (no browser can be had here)"
    print(f"NOT TESTED: {len(skips.names)} tests were skipped{why}: {', '.join(skips.names[:5])}")
    return code or int(os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main())
