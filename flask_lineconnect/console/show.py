"""Which members a list shows, by their link."""

from __future__ import annotations

from typing import Literal

Show = Literal["all", "linked", "blocked", "unlinked"]
