"""Labels of store QR codes and buttons: kept are those that the shop made, whoever writes others.

A label in an address that the shop builds, by ``url_for`` or a macro, carries a proof. One that
``flask line store-qr`` made is written down, so that its printed code outlives every key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from flask import Flask
from itsdangerous import Signer
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import SourceLabel
from ..models.base import insert_if_absent
from ..state import current_line
from ..web.guards import LOGIN
from .flow import source_label

#: Carries the proof in an address.
PROOF = "made"
#: Of our own pages and macros.
OURS = {
    "auto-login",
    "chat",
    "checkout",
    "friend-page",
    "liff",
    "log-in",
    "log-in-again",
    "member-page",
    "registration",
}


def made_label(text: str | None, proof: str | None) -> str | None:
    """Return a label of an address if the shop made it, and ``None`` for any other text."""
    label = source_label(text and text.strip())
    if label is None or label in OURS:
        return label
    line = current_line
    if proof and _signer(line.app).verify_signature(label.encode(), proof):
        return label
    return line.session.scalars(
        select(SourceLabel.label).where(SourceLabel.label == label)
    ).one_or_none()


def write_down(session: Session, label: str, **values: Any) -> None:
    """Keep a label, in the caller's transaction; one that is kept already stays."""
    insert_if_absent(session, SourceLabel, label=label, **values)


def prove_in_addresses(blueprint: Blueprint, app: Flask) -> None:
    """Let each address that the shop builds carry the proof of its label."""
    blueprint.url_defaults(_proving(app))


def _proving(app: Flask) -> Callable[[str, dict[str, Any]], None]:
    def prove(endpoint: str, values: dict[str, Any]) -> None:
        label = source_label(values.get("source")) if endpoint == LOGIN else None
        if label is not None and label not in OURS:
            values.setdefault(PROOF, _signer(app).get_signature(label.encode()).decode())

    return prove


def _signer(app: Flask) -> Signer:
    # The last one signs, all are believed.
    keys = [*reversed(app.config.get("SECRET_KEY_FALLBACKS") or ()), app.secret_key or ""]
    return Signer(keys, salt="lineconnect source label")
