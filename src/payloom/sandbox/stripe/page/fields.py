"""Fields that the methods share: any text, the email, the name of whom it is."""

import re
from collections.abc import Mapping
from typing import Any

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")
_VALUE_MAX = 200


def text(form: Mapping[str, Any], name: str) -> str:
    given = form.get(name, "")
    return given.strip()[:_VALUE_MAX] if isinstance(given, str) else ""


def email_problems(email: str) -> dict[str, str]:
    if _EMAIL.fullmatch(email):
        return {}
    return {"email": "Enter a valid email address." if email else "Enter your email."}


def name_problems(field: str, name: str) -> dict[str, str]:
    return {} if name else {field: "Enter your full name."}
