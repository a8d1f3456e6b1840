"""Programs that open pages for themselves, or for a picture of them, by what they say they are.

A user agent chooses what is counted and which login is offered, and never an access.
"""

from __future__ import annotations

import re

#: Programs that draw a small picture of a page for whoever was sent its address. LINE's own calls
#: itself ``facebookexternalhit/1.1;line-poker/1.0``, as observed.
_PREVIEW = re.compile(
    r"poker|preview|externalhit|linkexpanding|embedly|whatsapp/|telegrambot|twitterbot|discordbot",
    re.IGNORECASE,
)
#: Programs that name themselves in brackets after ``compatible``, such as LINE's ``Linespider``, or
#: by what they do.
_ROBOT = re.compile(
    r"compatible;|bot/|crawler|spider|poker|preview|externalhit|python-|curl/", re.IGNORECASE
)
#: More of them, of which none is a browser's.
_TOOL = re.compile(
    r"^$|\bbot\b|wget|headless|okhttp|^go-http|^java/|^libwww|monitor", re.IGNORECASE
)


def is_robot(agent: str) -> bool:
    """Tell whether a user agent is no person's browser."""
    return _ROBOT.search(agent) is not None


def is_tool(agent: str) -> bool:
    """Tell the same more strictly: also whoever says nothing, and programs without a page."""
    return is_robot(agent) or _TOOL.search(agent) is not None


def is_previewer(agent: str) -> bool:
    """Tell whether a program only draws a page for somebody's chat."""
    return _PREVIEW.search(agent) is not None
