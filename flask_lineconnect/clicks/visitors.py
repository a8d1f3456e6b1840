"""Who opens a link: a person, the same person once more at once, or a program.

Told by what browsers and programs say of themselves, and by a cookie of the click before. Who lies,
or keeps no cookie, is a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from ..web.guards import is_fetched_ahead
from ..web.robots import is_previewer
from ..web.robots import is_tool
from .naming import read_cookie

if TYPE_CHECKING:
    from ..marketing.links.addresses import Code

#: Seconds within which the same link in the same browser is a repeated tap, a reload, or a return.
REPEAT_SECONDS = 60


def kind_of_visit(named: Code) -> str:
    """Return what kind of click this request is: one of ``models/link.py``'s CLICK_KINDS."""
    agent = request.user_agent.string
    if is_fetched_ahead() or is_previewer(agent):
        return "preview"
    # Nobody sees the answer to a HEAD, nor what a script or a picture asks for.
    is_navigation = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    if request.method == "HEAD" or not is_navigation or is_tool(agent):
        return "robot"
    before = read_cookie(REPEAT_SECONDS)
    if before is not None and before.named == named:
        return "repeat"
    return "person"
