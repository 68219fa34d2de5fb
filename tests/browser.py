"""A Chromium for the browser tests: an installed one, else the distribution's, else a download.

`python -m tests.browser` looks once and writes the answer to .venv/.browser, an empty file when
no browser can be had here; `executable()` reads it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ANSWER = Path(__file__).parent.parent / ".venv" / ".browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

# For every launch: no calls home, and no sandbox as root, where Chromium refuses to have one.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


def executable() -> str | None:
    """The browser's path; None when there is none."""
    found = ANSWER.read_text().strip() if ANSWER.exists() else _installed()
    return found or None


def _installed() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), "")
    return found or (MAC if Path(MAC).exists() else "")


def _from_distribution() -> str:
    may_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if not may_install:
        return ""
    print("Installing the distribution's Chromium for the browser tests …", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", "-qq", *command], env=environ, check=False, stdout=subprocess.DEVNULL
        )
    return _installed()


def _downloaded() -> str:
    print("Downloading Chromium for the browser tests …", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], check=False, timeout=600
    )
    if done.returncode != 0:
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


def main() -> None:
    found = _installed() or _from_distribution() or _downloaded()
    ANSWER.write_text(found)
    print(f"Browser: {found}" if found else "No browser can be had here.")


if __name__ == "__main__":
    main()
