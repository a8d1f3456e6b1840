"""Brings the rich menus that are data to LINE, and shows them to everybody; may be repeated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..marketing.segments.audience import members_in
from ..rich_menus import releases
from ..rich_menus.rounds import show_portion
from ..state import LineState


def bring_menus(line: LineState, work: releases.Plan) -> Iterator[str]:
    """Do what is planned, step by step; yield a sentence for each step done.

    :raises LineApiError: LINE refused, or did not answer; the next time goes on from there.
    :raises LineConnectError: a menu can't be drawn.
    """
    releases.sync(line, work)
    yield from work.steps()
    yield show_all(line)
    releases.retire(line)


def show_all(line: LineState) -> str:
    """Do the round that is due, all of it, and say so; the engine goes on where this ends early.

    :raises LineApiError: LINE refused, or did not answer.
    """
    count = 0
    while (told := show_portion(line, partial(members_in, line))) is not None:
        count += told
    return f"{count:,} people were shown another rich menu of their own"
