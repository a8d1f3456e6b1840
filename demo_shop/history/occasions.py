"""What the shop sent in each of its years; the words are in ``occasions.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple


class Occasion(NamedTuple):
    """One campaign of each year.

    :ivar appeal: of how many of a thousand it is tapped.
    :ivar others: the words of the second variant, where two are compared.
    :ivar gain: how much more the second one is tapped, as a factor.
    :ivar hold_out: how many of a hundred get nothing, for comparison.
    """

    name: str
    month: int
    day: int
    label: str
    text: str
    appeal: int
    others: str = ""
    gain: float = 1.0
    hold_out: int = 0


def occasions() -> tuple[Occasion, ...]:
    """Read them, in the order of the year."""
    written = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return tuple(Occasion(name, **values) for name, values in written.items())
