"""LINE's keys for the ID tokens of LIFF pages.

Source: LINE Login v2.1 reference, "Verify ID token"; RFC 7517.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ..errors import LineApiError
from ..errors import Refused
from ..i18n import gettext as _
from ..line_api.calls import UNREADABLE
from ..line_api.http import LineHttp
from ..login.oidc import Identity
from ..login.oidc import identity_of
from ..login.oidc import verify_liff_id_token

logger = logging.getLogger(__name__)

#: Seconds between two fetches of the keys, whatever key ids are thrown at us.
COOL_DOWN = 60
#: Seconds for which others wait while one fetches the keys.
PATIENCE = 1.5
#: Longest ID token that is looked at; LINE's are about 1 kB.
MAX_ID_TOKEN = 8_192


@dataclass
class LiffTokens:
    """Checks ID tokens of LIFF pages: ES256 with LINE's keys by ``kid``, and nothing else."""

    channel_id: str
    http: LineHttp
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    _keys: dict[str, ECKey] = field(default_factory=dict)
    _asked_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def verify(self, id_token: object) -> Identity:
        """Return whose ID token this is.

        :raises Refused: it is not LINE's for our channel, or it is no longer valid.
        :raises LineApiError: LINE's keys could not be fetched.
        """
        if not isinstance(id_token, str) or len(id_token) > MAX_ID_TOKEN:
            raise _refused("id_token")
        key = self._key(_key_id(id_token))
        claims = verify_liff_id_token(id_token, key, channel_id=self.channel_id, clock=self.clock)
        return identity_of(claims)

    def _key(self, key_id: str) -> ECKey:
        # A key that is known needs no turn: who fetches may wait for LINE for long.
        key = self._keys.get(key_id) or self._fetched(key_id)
        if key is None:
            raise _refused("kid")
        return key

    def _fetched(self, key_id: str) -> ECKey | None:
        """Return a key that is not known yet; LINE is asked once per cool-down, whatever it says.

        :raises LineApiError: LINE's keys were never fetched, and can't be now.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            # Somebody fetches them already, and LINE hangs; what is known is all that there is.
            if not self._keys:
                raise LineApiError("LINE's keys for ID tokens are slow to come")
            return self._keys.get(key_id)
        try:
            if key_id not in self._keys and self._may_fetch():
                self._asked_at = self.monotonic()
                try:
                    self._keys = self._fetch()
                except LineApiError:
                    if not self._keys:
                        raise
            elif not self._keys:
                raise LineApiError("LINE's keys for ID tokens could not be fetched a moment ago")
            return self._keys.get(key_id)
        finally:
            self._lock.release()

    def _may_fetch(self) -> bool:
        return self._asked_at is None or self._asked_at + COOL_DOWN < self.monotonic()

    def _fetch(self) -> dict[str, ECKey]:
        listed = self.http.ask("GET", "/oauth2/v2.1/certs").content.get("keys")
        keys = dict(filter(None, map(_read_key, listed if isinstance(listed, list) else ())))
        if not keys:
            raise LineApiError("LINE's keys for ID tokens could not be fetched")
        return keys


def _read_key(listed: object) -> tuple[str, ECKey] | None:
    """Return id and key of an entry of LINE's list; ``None`` for one that is no key of ours."""
    if not isinstance(listed, dict) or not isinstance(listed.get("kid"), str):
        return None
    if listed.get("kty") != "EC" or listed.get("crv") != "P-256":
        return None
    try:
        return listed["kid"], ECKey.import_key(listed)
    except (JoseError, *UNREADABLE):
        logger.warning("a key of LINE's for ID tokens can't be read; it is left out")
        return None


def _key_id(id_token: str) -> str:
    """Return the ``kid`` of a token's header, which is not verified yet."""
    header = id_token.partition(".")[0]
    try:
        claims = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        return str(claims["kid"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refused("kid") from None


def _refused(step: str) -> Refused:
    return Refused(_("LINEからの情報を確認できませんでした。画面を開き直してください。"), step=step)
