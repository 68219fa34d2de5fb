"""How a command fails: one clear sentence on stderr, and an exit code that scripts can use."""

import os
import sys

FAILED = 1
ASKED_WRONGLY = 2  # arguments and settings; as every command line does


class Failure(Exception):
    """A command cannot do what was asked; the message says why, and what to do."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def tell_failure(error: Exception) -> int:
    """Say what went wrong and answer the exit code. What is a bug is raised again."""
    if isinstance(error, BrokenPipeError):  # `payloom merchants list --json | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    told = _sentence(error)
    if told is None:
        raise error
    text, code = told
    sys.stderr.write(f"payloom: {text}\n")
    return code


def _sentence(error: Exception) -> tuple[str, int] | None:
    # Imported only here: a command that ends well needs none of it.
    from payloom.core.db import DatabaseAway
    from payloom.core.errors import InvalidRequest, PayloomError
    from payloom.core.migrate import MigrationError
    from payloom.core.postgres import LauncherError
    from payloom.demo import DemoError
    from payloom.embedded import NotReady
    from payloom.merchants.vault import MasterKeyWrong
    from payloom.settings import BadSettings

    match error:
        case Failure():
            return str(error), error.code
        case BadSettings():
            return "the settings are wrong:\n" + _indented(error.mistakes), ASKED_WRONGLY
        case InvalidRequest(errors=(_, _, *_) as errors):
            mistakes = [f"{each.field}: {each.message}" for each in errors]
            return f"{error.title}:\n" + _indented(mistakes), ASKED_WRONGLY
        case InvalidRequest():
            return error.detail, ASKED_WRONGLY
        case DatabaseAway():
            return f"The database cannot be reached: {error.detail}", FAILED
        case PayloomError():
            return error.detail, FAILED
        case MasterKeyWrong():
            return f"The master key is not the one that sealed these secrets. {error}", FAILED
        case LauncherError() | MigrationError() | NotReady() | DemoError():
            return str(error), FAILED
    return None


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
