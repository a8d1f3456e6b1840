"""What messages brought, by the day, as the extension counts it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..clock import day_of
from .rows import Rows

_KEY = ("campaign_id", "scenario_id", "step", "variant", "link_id")
_ABSENT = {"step": "", "variant": ""}


class Counts:
    """Numbers by what they belong to; how much of each has no facts any more stands beside."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], list[int]] = {}

    def add(
        self, figure: str, at: datetime, number: int = 1, *, is_kept: bool = True, **owner: Any
    ) -> None:
        """Count something.

        :param is_kept: whether the facts are still there.
        """
        names = (owner.get(name) or _ABSENT.get(name, 0) for name in _KEY)
        both = self._numbers.setdefault((*names, day_of(at), figure), [0, 0])
        both[0] += number
        both[1] += 0 if is_kept else number

    def write(self, rows: Rows) -> None:
        """Keep their rows."""
        for (*names, day, figure), (number, forgotten) in self._numbers.items():
            rows.add_line(
                "result_count",
                **dict(zip(_KEY, names, strict=True)),
                day=day,
                figure=figure,
                number=number,
                forgotten=forgotten,
            )
