"""The inspector page: every API call and every webhook, with both bodies."""

from __future__ import annotations

from flask import Flask
from flask import render_template


def register(app: Flask) -> None:
    """Add the page; its script reads the control pages' ``calls`` and ``webhooks``."""
    app.add_url_rule("/inspector", view_func=inspector)


def inspector() -> str:
    """Show what the shop and the platform said to each other."""
    return render_template("inspector.html")
