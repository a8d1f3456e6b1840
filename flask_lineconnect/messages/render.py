"""Jinja templates that render LINE's JSON.

Each value stays in its place, whatever it is and whoever wrote it: a name with a quotation mark
can't break a message or add to it. How: ``places.py``.
"""

from __future__ import annotations

import json
from collections import ChainMap
from contextvars import ContextVar
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

from flask import Flask
from flask import current_app
from jinja2 import Environment
from jinja2 import pass_context
from jinja2.runtime import Context

from ..errors import InvalidMessage
from ..i18n import gettext as _
from ..person_names import isolated
from ..state import current_line
from .places import JsonText
from .places import Places

if TYPE_CHECKING:
    from .objects import RawMessage

_places: ContextVar[Places] = ContextVar("lineconnect_places")


def _to_json(value: object) -> JsonText:
    return JsonText(json.dumps(value, ensure_ascii=False))


def _person_name(name: str | None, stand_in: str | None = None) -> str:
    """Do what the filter of this name does for pages, see ``web/blueprint.py``."""
    return isolated(name, stand_in=_("会員") if stand_in is None else str(stand_in))


# With a context it is called when the template is rendered, for constants too.
@pass_context
def _mark(_context: Context, value: object) -> str:
    return _places.get().take(value)


def json_environment(app: Flask) -> Environment:
    """Return the app's Jinja environment, changed for JSON templates; made once per app."""
    environment = app.jinja_env.overlay(finalize=_mark, autoescape=False)
    of_messages = {"tojson": _to_json, "person_name": _person_name}
    # What a shop adds to the app's later on is there, too.
    environment.filters = cast(Any, ChainMap(of_messages, app.jinja_env.filters))
    # What the shop keeps is compiled for pages, and would put values in as they are.
    environment.bytecode_cache = None
    return environment


def render_json(template: str, **context: Any) -> Any:
    """Render a JSON template of the app and parse it.

    The template sees ``url_for``, which always gives absolute addresses under
    ``LINECONNECT_BASE_URL``, ``liff_url(path)`` and ``postback_for(hook, …)``.

    :raises InvalidMessage: what came out is not JSON; names the template and the place.
    """
    from ..hooks.table import HookTable  # of a shop with hooks it is there, see parts.py

    line = current_line
    values = {
        "shop_name": line.shop.name,
        "url_for": line.url_for,
        "liff_url": line.liff_url,
        "postback_for": line.part(HookTable).postback_data,
    }
    places = Places()
    token = _places.set(places)
    try:
        text = line.json_environment.get_template(template).render(values | context)
    finally:
        _places.reset(token)
    try:
        return places.parse(text)
    except json.JSONDecodeError as error:
        raise InvalidMessage(
            f"{template} of {current_app.name} did not render JSON: {error.msg} "
            f"at line {error.lineno}, column {error.colno}"
        ) from None
    except ValueError as error:
        raise InvalidMessage(f"{template} of {current_app.name}: {error}") from None


def render_message(template: str, **context: Any) -> RawMessage | list[RawMessage]:
    """Render a JSON template to one message, or to several if it holds a list.

    :raises InvalidMessage: what came out is no message object.
    """
    from .objects import RawMessage  # with the first message, see parts.py

    rendered = render_json(template, **context)
    parts = rendered if isinstance(rendered, list) else [rendered]
    if not all(isinstance(part, dict) and "type" in part for part in parts):
        raise InvalidMessage(f"{template} must render a LINE message object or a list of them")
    messages = [RawMessage(part) for part in parts]
    return messages if isinstance(rendered, list) else messages[0]
