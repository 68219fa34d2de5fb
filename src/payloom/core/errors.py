"""The tree of everything a caller can be told, each with a stable code and an HTTP status.

    PayloomError
    ├── Unparsable 400        the request is not even well-formed
    ├── Unauthorized 401
    ├── Forbidden 403
    ├── NotFound 404          also malformed and foreign ids (S1)
    ├── Conflict 409
    ├── TooLarge 413
    ├── UnsupportedMedia 415
    ├── InvalidRequest 422    fields and query values
    └── Unavailable 503       try again later; nothing was accepted

A feature subclasses these beside the rule it protects and gives its own `code`. Anything else that
is raised is a bug: 500, logged with its trace.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

MISTAKES_MAX = 100  # named in one answer
TOLD_MAX = 3  # of them in `detail`


class FieldError(NamedTuple):
    """What is wrong with one field: its dotted path and a sentence that says what to do."""

    field: str
    message: str


class PayloomError(Exception):
    """Something the caller can be told; `title` says what it is, the message what to do."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    # When to try again, unless the one who raises it knows better.
    again_after_s: ClassVar[int | None] = None
    # Decided after our commit: the answer is kept under the caller's idempotency key.
    is_final: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after_s: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = detail or _told(errors) or self.title
        super().__init__(self.detail)
        self.errors = tuple(errors[:MISTAKES_MAX])
        self.retry_after_s = self.again_after_s if retry_after_s is None else retry_after_s
        self.extra = dict(extra or {})


class Unparsable(PayloomError):
    status = 400
    code = "unparsable"
    title = "The request could not be read"


class Unauthorized(PayloomError):
    status = 401
    code = "unauthorized"
    title = "A valid API key is needed"


class Forbidden(PayloomError):
    status = 403
    code = "forbidden"
    title = "This API key may not do that"


class NotFound(PayloomError):
    status = 404
    code = "not_found"
    title = "There is no such thing"


class Conflict(PayloomError):
    status = 409
    code = "conflict"
    title = "This does not fit the present state"


class TooLarge(PayloomError):
    status = 413
    code = "too_large"
    title = "The request body is too large"


class UnsupportedMedia(PayloomError):
    status = 415
    code = "unsupported_media_type"
    title = "The request body must be application/json"


class InvalidRequest(PayloomError):
    status = 422
    code = "invalid_request"
    title = "The request has mistakes"


class Unavailable(PayloomError):
    status = 503
    code = "unavailable"
    title = "Not available at the moment; nothing was accepted"
    again_after_s = 1


def invalid(field: str, message: str) -> InvalidRequest:
    """One mistake in one field."""
    return InvalidRequest(errors=[FieldError(field, message)])


def _told(errors: Sequence[FieldError]) -> str:
    """The first mistakes in one line, for whoever shows nothing else."""
    told = "; ".join(f"{error.field}: {error.message}" for error in errors[:TOLD_MAX])
    more = len(errors) - TOLD_MAX
    return f"{told}; and {more} more" if more > 0 else told
