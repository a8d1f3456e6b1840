"""What was meant by the name of a setting that nobody reads, or that is missing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any


def unknown(key: str, known: Mapping[str, object]) -> str:
    """Say that a setting is unknown, and which one is like it."""
    near = difflib.get_close_matches(key, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{key} is not a setting.{hint}"


def meant(key: str, values: Mapping[str, Any], *, prefix: str) -> str:
    """Say which key without the prefix is like a setting that is missing, if any is."""
    others = [name for name in values if not name.startswith(prefix)]
    near = difflib.get_close_matches(key, others, n=1, cutoff=0.9)
    return f" Did you mean it by {near[0]}?" if near else ""
