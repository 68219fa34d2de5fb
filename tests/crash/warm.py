"""What a life begins as: a fork of a process that has imported everything and begun nothing.

Importing costs half a second of a core, so 200 lives that each do it would take minutes. From here
on a life is what the command line makes of its words: `payloom serve …` or `payloom worker`.
"""

import ctypes
import gc
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from payloom import cli
from payloom.connectors.catalog import discover

PR_SET_PDEATHSIG = 1
# What a command imports only when it runs, uvicorn's choices included.
LATER = (
    "payloom.cli.serving",
    "payloom.cli.working",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
)

for name in LATER:
    importlib.import_module(name)
discover()
gc.freeze()  # what is here stays, and its pages are shared


def become(words: Sequence[str], environ: Mapping[str, str], told: Connection, log: Path) -> None:
    """Run `payloom {words}`; what it says goes to `told`, what it logs to the end of `log`."""
    if sys.platform == "linux":  # whoever kills the harness kills us
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(told.fileno(), sys.stdout.fileno())
    told.close()
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAYLOOM_")}
    os.environ.clear()
    os.environ.update({**kept, **environ})
    sys.argv = ["payloom", *words]
    cli.main()
