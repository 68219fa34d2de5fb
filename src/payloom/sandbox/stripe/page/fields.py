"""Fields that the methods share: any text, the email, the name of whom it is."""

import re
from collections.abc import Mapping
from typing import Any

from payloom.core.masking import holds_card_or_secret

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")
_VALUE_MAX = 200


def text(form: Mapping[str, Any], name: str) -> str:
    given = form.get(name, "")
    return given.strip()[:_VALUE_MAX] if isinstance(given, str) else ""


def email_problems(email: str) -> dict[str, str]:
    if _EMAIL.fullmatch(email) and not holds_card_or_secret(email):
        return {}
    return {"email": "Enter a valid email address." if email else "Enter your email."}


def name_problems(field: str, name: str) -> dict[str, str]:
    is_good = name and not holds_card_or_secret(name)
    return {} if is_good else {field: "Enter your full name."}
