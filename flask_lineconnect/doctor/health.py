"""The page that load balancers and monitors ask: whether this process can serve customers.

LINE is not asked: a shop whose LINE is away still sells.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask import Response
from flask import jsonify
from flask import request
from itsdangerous import BadData
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigError
from ..setting_up.tables import check_tables
from ..state import Healthy
from ..state import LineState
from ..state import current_line

#: Seconds for which a question of the doctor's is answered.
LOOK_SECONDS = 120


def register(blueprint: Blueprint) -> None:
    """Add the page to the extension's blueprint."""
    blueprint.add_url_rule("/health", "health", _Health().answer)


class _Health:
    """What one process knows of itself."""

    def __init__(self) -> None:
        self._has_tables = False

    def answer(self) -> tuple[Response, int]:
        """Say ``ok`` with 200, or with 503 what fails: ``database``, ``tables``, ``engine``."""
        line = current_line
        failing = self._failing(line)
        said: dict[str, Any] = {"status": "failing" if failing else "ok"}
        if failing:
            said["failing"] = failing
        if _is_doctors(line):
            said["seen"] = _seen()
        status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
        return jsonify(said), status

    def _failing(self, line: LineState) -> list[str]:
        failing = []
        try:
            line.session.execute(text("SELECT 1"))
            if not self._has_tables:
                check_tables(line)
                self._has_tables = True
        except SQLAlchemyError:
            failing.append("database")
        except ConfigError:
            failing.append("tables")
        finally:
            line.session.rollback()
        if isinstance(line.engine, Healthy) and not all(line.engine.health().values()):
            failing.append("engine")
        return failing


def question(line: LineState) -> str:
    """Return what a look of the doctor's asks with, which nobody else can make."""
    return str(_signer(line).dumps("look"))


def _is_doctors(line: LineState) -> bool:
    """Tell whether ``flask line doctor`` asks, of this shop and a moment ago."""
    try:
        _signer(line).loads(request.args.get("look", ""), max_age=LOOK_SECONDS)
    except BadData:
        return False
    return True


def _signer(line: LineState) -> URLSafeTimedSerializer:
    config = line.app.config
    keys = [*(config.get("SECRET_KEY_FALLBACKS") or ()), config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="flask-lineconnect doctor")


def _seen() -> dict[str, Any]:
    """Return how this request arrived; no address of anybody's."""
    return {
        "scheme": request.scheme,
        "host": request.host,
        "root": request.script_root,
        "is_forwarded": any(
            name in request.headers for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded")
        ),
        "is_fixed": _is_customers_address(),
    }


def _is_customers_address() -> bool:
    """Tell whether the app knows who asks: the first whom the proxies named."""
    named = request.headers.get("X-Forwarded-For")
    if named is None:
        return "werkzeug.proxy_fix.orig" in request.environ
    return request.remote_addr == named.partition(",")[0].strip()
