"""What happens when a LIFF app is closed: LINE may revoke the page's access token.

Source: LIFF documentation, which says that the token may be revoked when the app is closed.
"""

from __future__ import annotations

from typing import Any

from ..platform import Platform
from ..world import LoginToken
from ..world import User


def close_liff(line: Platform, user: User, _body: dict[str, Any]) -> None:
    """Close the LIFF app on the phone; its access token ends if the app's setting says so."""
    tokens = [one for one in line.world.login_tokens.values() if _ends(line, user, one)]
    if tokens:
        with line.change():
            for token in tokens:
                token.is_revoked = True


def _ends(line: Platform, user: User, token: LoginToken) -> bool:
    app = line.world.liff_apps.get(token.liff_id or "")
    is_open = token.is_in_chat and not token.is_revoked and token.user_id == user.user_id
    return is_open and app is not None and app.revokes_on_close
