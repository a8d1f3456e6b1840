"""Who waits for an answer: asked once for a page, of which two parts tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g

from ..shop.inquiry_desk import Inquiry
from ..state import LineState

#: So many waiting questions are counted.
MOST = 100
_FOUND = "_lineconnect_waiting"


def waiting_inquiries(line: LineState) -> Sequence[Inquiry[Any]]:
    """Return the questions that nobody has answered, the longest wait first."""
    if line.shop.inquiries is None:
        return ()
    if _FOUND not in g:
        setattr(g, _FOUND, line.shop.inquiries.waiting(limit=MOST))
    found: Sequence[Inquiry[Any]] = getattr(g, _FOUND)
    return found
