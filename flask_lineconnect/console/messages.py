"""Messages: look at one while it is written."""

from __future__ import annotations

from flask import abort
from flask import request

from ..state import current_line
from .blocks import blocks_of
from .pages import render
from .phone import phone_of
from .phone import pose_of


def preview_message() -> str:
    """Return the phone of the composer that has a prefix, as its form stands; nothing is kept."""
    prefix = request.args.get("prefix") or abort(404)
    form = request.form
    phone = phone_of(current_line, blocks_of(form, prefix), pose_of(form, prefix))
    return render("_phone", phone=phone)
