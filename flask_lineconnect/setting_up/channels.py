"""Tell LINE's channels where the shop is: webhook, LIFF endpoint, rich menu."""

from __future__ import annotations

from collections.abc import Iterator

from ..line_api.client import LineApi
from ..rich_menus import publish as rich_menu
from ..rich_menus import releases
from ..state import LineState
from .menus import bring_menus


def set_up_channels(line: LineState) -> Iterator[str]:
    """Tell LINE all it lets us tell, step by step; yield a sentence for each step done.

    May be repeated: what LINE knows already is not made again.

    :raises LineApiError: LINE refused a step, or did not answer.
    :raises LineConnectError: a rich menu is wrong.
    """
    api = line.part(LineApi)
    webhook = line.url_for("lineconnect.webhook")
    api.set_webhook_endpoint(webhook)
    yield f"The webhook endpoint is {webhook}"
    if line.config.liff_id:
        endpoint = line.url_for("lineconnect.card")
        api.set_liff_endpoint(line.config.liff_id, endpoint)
        yield f"The LIFF app opens {endpoint}"
    if line.rich_menu:
        menu_id, is_new = rich_menu.publish(line, api, line.rich_menu, now=line.clock())
        yield f"The rich menu is {menu_id}{', made now' if is_new else ', as before'}"
    elif releases.declared(line):
        yield from bring_menus(line, releases.plan(line))
    callback = line.url_for("lineconnect.callback")
    yield f"LINE's console must list the callback URL {callback}"
