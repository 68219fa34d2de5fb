"""What a family of objects says of its kinds."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

Fields = Mapping[str, str]  # kind → the names of its fields, as the SDK declares them
Usual = Mapping[str, Json]  # kind → what a field is, unless it is null, before anything sets it
# kind → field → kinds of what it may name; None: expandable, but always null here
Expandable = Mapping[str, Mapping[str, str | None]]
