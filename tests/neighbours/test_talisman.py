"""Flask-Talisman with its defaults: https only, and a Content-Security-Policy on everything."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from flask import Response
from flask_talisman import Talisman

from . import journey
from .conftest import OpenShop
from .journey import Shop

STRICT = {"default-src": "'none'"}


def _after_each_answer(app: Flask) -> None:
    """Put a shop's own headers on everything, as many do."""

    @app.after_request
    def set_policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
        return response


NEIGHBOURS = {
    "defaults": Talisman,
    "nonces": partial(Talisman, content_security_policy_nonce_in=["script-src"]),
    "strict": partial(Talisman, content_security_policy=STRICT, referrer_policy="no-referrer"),
    "own": _after_each_answer,
}


def _assert_ours(shop: Shop) -> None:
    visitor = shop.browser()
    visitor.open(journey.path_of(shop, "lineconnect.card"))
    headers = visitor.page.headers
    (policy,) = headers.getlist("Content-Security-Policy")
    assert "script-src 'self' 'nonce-" in policy
    assert headers.getlist("Referrer-Policy") == ["same-origin"]
    assert headers.getlist("Cache-Control") == ["no-store"]
    assert "Cross-Origin-Embedder-Policy" not in headers
    # The worker fetches for all pages of LINE's; a policy on it would be its own.
    visitor.open("/line/liff/worker.js")
    assert "Content-Security-Policy" not in visitor.page.headers
    visitor.open("/")
    assert "script-src" not in visitor.page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_our_pages_keep_their_headers(open_shop: OpenShop, name: str, order: str) -> None:
    _assert_ours(open_shop(**{order: (NEIGHBOURS[name],)}))


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    journey.walk(open_shop(**{order: (Talisman,)}))
