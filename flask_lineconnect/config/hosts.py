"""Where LINE is: the only place that knows any host of LINE's."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

_QUICK_FILL = "/5/liff-common-profile/edge/production/1.0.0/index.umd.cjs"


@dataclass(frozen=True, slots=True)
class LineHosts:
    """The addresses of LINE, or of what stands for it.

    :ivar frame_ancestors: origins that may show our pages in a frame and whose frames count as
        LINE's in-app browser. Empty for the real LINE, which is no web page.

    Source: LINE platform, "Hosts"; LIFF, "Integrating the LIFF SDK"; MINI App, "Quick-fill".
    """

    access: str = "https://access.line.me"
    api: str = "https://api.line.me"
    api_data: str = "https://api-data.line.me"
    liff: str = "https://liff.line.me"
    line_me: str = "https://line.me"
    liff_sdk: str = "https://static.line-scdn.net/liff/edge/2/sdk.js"
    quick_fill: str = "https://static.line-scdn.net" + _QUICK_FILL
    frame_ancestors: tuple[str, ...] = ()

    @classmethod
    def at(cls, origin: str) -> LineHosts:
        """Return the hosts of a platform that serves all of LINE's paths at one origin."""
        sdk, quick_fill = f"{origin}/liff/edge/2/sdk.js", origin + _QUICK_FILL
        return cls(origin, origin, origin, origin, origin, sdk, quick_fill, (origin,))

    def chat_url(self, basic_id: str, text: str) -> str:
        """Return the address that opens an official account's chat with a text typed in, not sent.

        Source: LINE, "Using LINE URL scheme", `oaMessage`.
        """
        return f"{self.line_me}/R/oaMessage/{quote(basic_id, safe='')}/?{quote(text, safe='')}"
