"""The keys of ES256 ID tokens, which LINE changes now and then.

Source: LINE Login v2.1 reference, "Verify ID token"; how LINE rotates them is not documented.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from joserfc.jwk import ECKey

from ..platform import Platform
from ..world import SigningKey


def signing_key(line: Platform) -> ECKey:
    """Return the private key that signs now; made when first needed."""
    with line.lock:
        if not line.world.signing_keys:
            with line.change() as world:
                world.signing_keys.append(_make())
        return ECKey.import_key({**line.world.signing_keys[-1].jwk})


def rotate(line: Platform, keep_seconds: float) -> str:
    """Sign with a new key from now on; tell the old one's public half for some more seconds.

    :return: the ``kid`` of the new key.
    """
    signing_key(line)
    with line.change() as world:
        end = line.clock.now() + timedelta(seconds=keep_seconds)
        for key in world.signing_keys:
            key.removed_at = min(key.removed_at or end, end)
        world.signing_keys.append(_make())
        return world.signing_keys[-1].jwk["kid"]


def living_keys(line: Platform) -> list[ECKey]:
    """Return the keys whose public half is told, the newest first."""
    signing_key(line)
    with line.lock:
        now = line.clock.now()
        keys = [
            key for key in line.world.signing_keys if key.removed_at is None or key.removed_at > now
        ]
        return [ECKey.import_key({**key.jwk}) for key in reversed(keys)]


def public_keys(line: Platform) -> dict[str, Any]:
    """Return the JWKS."""
    keys = [key.as_dict(private=False) for key in living_keys(line)]
    return {"keys": [{**key, "alg": "ES256", "use": "sig"} for key in keys]}


def _make() -> SigningKey:
    key = ECKey.generate_key("P-256")
    made = {name: str(value) for name, value in key.as_dict(private=True).items()}
    made["kid"] = hashlib.sha256(made["x"].encode()).hexdigest()
    return SigningKey(jwk=made)
