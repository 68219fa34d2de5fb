"""Connectors are found by scanning this package: no list, enum or `if` names a PSP."""

import importlib
import pkgutil

from payloom import connectors
from payloom.connectors.spec import Spec


def discover() -> dict[str, Spec]:
    """Every connector by name: each subpackage that exports `CONNECTOR`."""
    found: dict[str, Spec] = {}
    for module in pkgutil.iter_modules(connectors.__path__):
        if module.ispkg:
            package = importlib.import_module(f"{connectors.__name__}.{module.name}")
            if isinstance(spec := getattr(package, "CONNECTOR", None), Spec):
                found[spec.name] = spec
    return found
