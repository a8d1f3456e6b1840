"""Store QR codes: one for each place, whom each has brought, and sheets to print."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort
from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..errors import Refused
from ..linking import accounts
from ..login import labels
from ..login.flow import MAX_SOURCE
from ..login.flow import source_label
from ..models import SourceLabel
from ..state import LineState
from ..state import current_line
from ..web import barcodes
from .audit import note
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say

#: So many codes are listed.
MOST = 200
#: Codes on one sheet, by its name.
SHEETS = {"a4": 1, "a5": 1, "a6": 1, "card": 10}


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    :ivar members: how many linked members it has brought.
    """

    label: str
    members: int


def store_qr() -> str:
    """List codes."""
    line = current_line
    brought = dict(accounts.count_by_source(line.session))
    kept = line.session.scalars(
        select(SourceLabel.label).order_by(SourceLabel.created_at.desc()).limit(MOST)
    )
    codes = [Code(label, brought.get(label, 0)) for label in kept]
    return render("store_qr", codes=codes, sheets=_sheets(), most=MAX_SOURCE)


def make_qr() -> Response:
    """Make the code of a place.

    :raises Refused: it can't be called so.
    """
    line, given = current_line, request.form.get("label", "").strip()
    label = source_label(given)
    if not label or label != given or label in labels.OURS:
        raise Refused(
            _("置き場所の名前を、%(n)s文字までで付けてください。", n=MAX_SOURCE), step="label"
        )
    labels.write_down(line.session, label, created_at=line.clock())
    note("qr-made", subject=f"qr:{label}")
    line.session.commit()
    say(_("「%(label)s」のQRを作りました。", label=label))
    return go("store_qr")


def print_qr() -> str:
    """Show a sheet to print."""
    line, label = current_line, request.args.get("label", "")
    size = request.args.get("size", "a5")
    if size not in SHEETS or line.session.get(SourceLabel, label) is None:
        abort(404)
    address = address_of(line, label)
    drawn = barcodes.qr_svg(address, label=_("店頭QR「%(label)s」", label=label))
    return render(
        "store_qr_print", label=label, size=size, drawn=drawn, copies=SHEETS[size], address=address
    )


def address_of(line: LineState, label: str) -> str:
    """Return the address of a code; written down it needs no proof, and outlives every key."""
    values = {"source": label, labels.PROOF: None}
    return line.url_for("lineconnect.login", **values)


def _sheets() -> dict[str, str]:
    return {
        "a4": _("A4 ポスター"),
        "a5": _("A5 カウンター"),
        "a6": _("はがき"),
        "card": _("名刺サイズ 10枚"),
    }
