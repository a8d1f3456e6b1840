"""How the shop is reached: the doctor asks it at its public address, as a phone would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import pytest
from sqlalchemy import text
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from tests.conftest import MakeApp
from tests.small_shop import db

from .conftest import OpenShop
from .conftest import look

NAMES = ("public-address", "proxy", "path-prefix", "page-policy")
FORWARDED = {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}


def _with(**environ: str) -> Callable[[Any], Any]:
    """Return what lets each request arrive as a proxy would send it on."""

    def wrap(application: Any) -> Any:
        return lambda given, start: application({**given, **environ}, start)

    return wrap


def _adding(name: str, value: str) -> Callable[[Any], Any]:
    """Return what puts a header on every answer, as a proxy does."""

    def wrap(application: Any) -> Any:
        def serve(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                return start_response(status, [*headers, (name, value)], *rest)

            return application(environ, start)

        return serve

    return wrap


def _answering(status: int, **headers: str) -> Callable[[Any], Any]:
    def wrap(_application: Any) -> Any:
        return Response(
            "", status, {name.replace("_", "-"): value for name, value in headers.items()}
        )

    return wrap


def _fixed(application: Any) -> Any:
    return _with(**FORWARDED, HTTP_X_FORWARDED_PROTO="http")(ProxyFix(application))


def _guarding_pages(application: Any) -> Any:
    def serve(environ: Any, start_response: Any) -> Any:
        is_health = environ["PATH_INFO"].endswith("/health")
        return (application if is_health else Response("", 401))(environ, start_response)

    return serve


class Case(NamedTuple):
    """What is before the shop, and what the doctor says."""

    check: str
    wrap: Callable[[Any], Any]
    seen: str
    mend: str


CASES = [
    Case("public-address", _answering(404), "another program answers", "LINECONNECT_BASE_URL"),
    Case("public-address", _answering(200), "another program answers", "LINECONNECT_BASE_URL"),
    Case(
        "public-address",
        _answering(301, Location="https://www.shop.example/line/health"),
        "leads on to https://www.shop.example",
        "answers itself",
    ),
    Case("proxy", _with(**{"wsgi.url_scheme": "https"}), "takes itself for https", "ProxyFix"),
    Case("proxy", _with(HTTP_HOST="127.0.0.1:1"), "takes itself for 127.0.0.1:1", "x_host=1"),
    Case("proxy", _with(**FORWARDED), "counts all customers as one", "x_for=1"),
    Case("path-prefix", _with(SCRIPT_NAME="/shop"), "below /shop", "X-Forwarded-Prefix"),
    Case(
        "page-policy",
        _adding("Content-Security-Policy", "default-src 'self'"),
        "a Content-Security-Policy that is not ours",
        "leave /line out",
    ),
    Case("page-policy", _adding("Referrer-Policy", "no-referrer"), "refuses their forms", "leave"),
    Case(
        "page-policy",
        _adding("Cross-Origin-Embedder-Policy", "require-corp"),
        "Embedder",
        "leave /line out",
    ),
    Case("page-policy", _guarding_pages, "answered with 401", "let what guards the whole site"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.seen}")
def test_it_is_found(open_shop: OpenShop, case: Case) -> None:
    found = look(open_shop(wrap=case.wrap), *NAMES)
    assert found[case.check].state == "wrong", found
    assert case.seen in found[case.check].text
    assert case.mend in found[case.check].mend
    others = {one.state for name, one in found.items() if name != case.check}
    assert others <= {"fine"}


def test_behind_a_proxy_that_the_app_knows(open_shop: OpenShop) -> None:
    assert {one.state for one in look(open_shop(wrap=_fixed), *NAMES).values()} == {"fine"}


def test_below_a_path(open_shop: OpenShop) -> None:
    def wrap(application: Any) -> Any:
        return DispatcherMiddleware(Response("", 404), {"/shop": application})

    found = look(open_shop(wrap=wrap, path="/shop"), *NAMES)
    assert {one.state for one in found.values()} == {"fine"}
    lost = look(open_shop(path="/shop"), *NAMES)
    assert lost["public-address"].state == "wrong"
    assert set(lost) == {"public-address"}


def test_another_secret_key_in_the_running_shop(open_shop: OpenShop, make_app: MakeApp) -> None:
    running = open_shop()
    running.config["SECRET_KEY"] = "another secret key of the running shop"
    base_url = running.extensions["lineconnect"].config.base_url
    found = look(make_app(LINECONNECT_BASE_URL=base_url), "public-address")["public-address"]
    assert found.state == "wrong"
    assert "another SECRET_KEY" in found.text


def test_a_shop_that_is_ill(open_shop: OpenShop) -> None:
    app = open_shop()
    with app.app_context():
        db.session.execute(text("DROP TABLE lineconnect_card_code"))
        db.session.commit()
    found = look(app, "public-address")["public-address"]
    assert found.state == "wrong"
    assert "ill: tables" in found.text


def test_a_shop_that_does_not_run(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_BASE_URL="http://127.0.0.1:9", LINECONNECT_TIMEOUT_SECONDS=2)
    found = look(app, *NAMES)
    assert set(found) == {"public-address"}
    assert found["public-address"].state == "unasked"
    assert "nothing answered" in found["public-address"].text
