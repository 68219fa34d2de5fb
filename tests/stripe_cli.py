"""The official Stripe CLI and SDK for Node.js, the pinned ones by npm: they judge the sandbox.

`python -m tests.stripe_cli` installs both into .venv/stripe-cli where npm is there, and writes the
CLI's path to .venv/.stripe-cli, an empty file when it cannot be had here; `executable()` reads it.
"""

import shutil
import subprocess
from pathlib import Path

VENV = Path(__file__).parent.parent / ".venv"
ANSWER = VENV / ".stripe-cli"
FOLDER = VENV / "stripe-cli"
PACKAGE = Path(__file__).parent / "sandbox" / "cli"  # which version, and what it must hash to
NPM = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]


def executable() -> str | None:
    """The program's path; None when there is none."""
    found = ANSWER.read_text().strip() if ANSWER.exists() else ""
    return found or None


def node_modules() -> str | None:
    """Where Node.js finds the SDK; None when there is none."""
    found = (FOLDER / "node_modules" / "stripe").exists() and shutil.which("node")
    return str(FOLDER / "node_modules") if found else None


def _installed() -> str:
    """The program of this platform, which the package brings as a package of its own."""
    found = sorted(FOLDER.glob("node_modules/@stripe/cli-*/bin/stripe*"))
    return str(found[0]) if found else ""


def _install() -> None:
    print("Installing the Stripe CLI and Node SDK for the tests of the sandbox …", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGE / name, FOLDER)
    try:
        subprocess.run(NPM, cwd=FOLDER, check=False, timeout=300, stdout=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return


def main() -> None:
    if shutil.which("npm"):
        _install()
    found = _installed()
    ANSWER.write_text(found)
    print(
        f"Stripe CLI: {found}" if found else "The Stripe CLI cannot be had here: npm installs it."
    )


if __name__ == "__main__":
    main()
