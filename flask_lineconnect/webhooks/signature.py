"""The signature of a webhook request.

Source: Messaging API, "Verify webhook signature".
"""

from __future__ import annotations

import base64
import hashlib
import hmac

#: What the webhook answers, with 400, to what LINE did not sign; the doctor knows it by this.
BAD_SIGNATURE = "The signature does not match. Check LINECONNECT_MESSAGING_CHANNEL_SECRET."


def sign(body: bytes, channel_secret: str) -> str:
    """Return what LINE puts into ``x-line-signature`` for these bytes."""
    digest = hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed(body: bytes, signature: str | None, *channel_secrets: str) -> bool:
    """Tell whether the raw bytes carry the channel's signature; a missing one is just a no.

    :param channel_secrets: the channel's, and earlier ones that still count.
    """
    if not signature:
        return False
    given = signature.encode("utf-8", "surrogateescape")
    return any(
        hmac.compare_digest(sign(body, secret).encode(), given) for secret in channel_secrets
    )
