"""The console's blueprint: who may enter, asked at every request, and what others are told.

Views are imported with the first request that needs them; a shop's start knows their names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError

from ..errors import LineApiError
from ..errors import Refused
from ..web.blueprint import PageBlueprint
from ..web.pages import set_closed_headers
from .routes import BY_ENDPOINT
from .routes import ROUTES
from .routes import Route

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

BLUEPRINT = "lineconnect_console"


def make_console() -> PageBlueprint:
    """Return the blueprint of the console, for one app."""
    console = PageBlueprint(
        BLUEPRINT,
        __name__,
        template_folder="templates",
        show_refusal=_show_refusal,
        put_headers=set_closed_headers,
    )
    console.before_request(_let_in)
    for kind in (LineApiError, HTTPException, InternalServerError):
        console.register_error_handler(kind, _show_error)
    for route in ROUTES:
        console.add_url_rule(
            route.rule, route.endpoint, _view_of(route), methods=list(route.methods)
        )
    return console


def _view_of(route: Route) -> Callable[..., Any]:
    def view(**values: Any) -> Any:
        module = import_module(f".{route.module}", __package__)
        return getattr(module, route.endpoint)(**values)

    # By both of them guards of other extensions know a view.
    view.__module__, view.__name__ = f"{__package__}.{route.module}", route.endpoint
    return view


def _let_in() -> Response | None:
    """Ask the shop who this is, and the table whether they may; anybody else leaves here."""
    from .door import let_in  # with the first request, as are all views

    return let_in(BY_ENDPOINT[(request.endpoint or "").rpartition(".")[2]])


def _show_refusal(refused: Refused) -> Response:
    from .errors import show_refusal

    return show_refusal(refused)


def _show_error(error: LineApiError | HTTPException) -> Any:
    from .errors import show_error

    return show_error(error)
