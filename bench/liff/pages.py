"""What the benchmark opens: the demo shop's card, the starter's page, and LINE's script network.

The starter's page does what LINE's own LIFF starter does: start the SDK, get the profile, then
fetch what is to be shown, then draw it. Its card comes from the same shop, the same database and
the same drawing as ours; it has no styles to wait for and no library that draws, which favours it.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from flask import Flask
from flask import Response
from flask import jsonify
from flask import request

from demo_shop import create_app
from demo_shop import prepare_database
from flask_lineconnect.liff.id_token import LiffTokens
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.web.barcodes import card_bars
from tests.npm.sdk import bundle
from tests.npm.sdk import lead_to

STARTER_LIFF_ID = "1650000001-Starter1"

STARTER = """<!doctype html>
<html lang="ja"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>ポイントカード</title>
<script src="{sdk}"></script><script src="/starter/main.js" defer></script></head>
<body><p id="name"></p><p id="points"></p><div id="card"></div></body></html>"""

STARTER_SCRIPT = """
liff.init({ liffId: "%s" }).then(async () => {
  if (!liff.isLoggedIn()) return liff.login();
  const profile = await liff.getProfile();
  const headers = { Authorization: `Bearer ${liff.getIDToken()}` };
  const answer = await fetch("/starter/card", { headers });
  const card = await answer.json();
  document.getElementById("name").textContent = profile.displayName;
  document.getElementById("points").textContent = card.points;
  document.getElementById("card").innerHTML = card.bars;
});
"""
_A_DAY = {"Cache-Control": "max-age=86400"}


def make_shop(settings: dict[str, str], sdk_url: str, folder: Path) -> Flask:
    """Return the demo shop with the starter's page beside its card."""
    app = create_app(
        {
            **settings,
            "TESTING": True,
            "LINECONNECT_LIFF_SDK_URL": sdk_url,
            "LINECONNECT_ENGINE": "worker",
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'shop.db'}",
            "PICTURES_FOLDER": str(folder / "pictures"),
        }
    )
    prepare_database(app)
    line: LineState = app.extensions["lineconnect"]

    @app.get("/starter")
    def starter() -> Response:
        # The starter has no policy for scripts, and the shop's own would forbid the SDK.
        headers = {"Content-Security-Policy": "frame-ancestors 'none'"}
        return Response(STARTER.format(sdk=sdk_url), headers=headers)

    @app.get("/starter/main.js")
    def script() -> Response:
        return Response(
            STARTER_SCRIPT % STARTER_LIFF_ID, mimetype="text/javascript", headers=_A_DAY
        )

    @app.get("/starter/card")
    def card() -> Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        identity = line.part(LiffTokens).verify(token)
        account = accounts.ensure_account(line.session, identity.line_user_id, now=line.clock())
        member: Any = line.session.get(line.shop.model, account.member_id)
        bars = card_bars(line.shop.card_number(member) or "", line.shop.card_barcode, label="")
        balance = line.shop.points(member)
        return jsonify(points=balance and balance.points, bars=bars)

    return app


def link_everybody(app: Flask, emulator: Emulator, count: int) -> list[str]:
    """Link so many of the shop's members to new LINE users; return these."""
    line: LineState = app.extensions["lineconnect"]
    user_ids = []
    with app.app_context():
        for number in range(count):
            email = f"member{number:02d}@komorebi.example"
            member = line.session.query(line.shop.model).filter_by(email=email).one()
            user_id = emulator.add_user(member.name, email=email)
            account = accounts.ensure_account(line.session, user_id, now=line.clock())
            accounts.link(line, account, member.id, source=None, now=line.clock())
            user_ids.append(user_id)
        line.session.commit()
    return user_ids


def make_network(script: bytes) -> Flask:
    """Return LINE's network for scripts: the SDK, compressed and cacheable, and its extensions."""
    app, packed = Flask("network"), gzip.compress(script, 9)

    @app.get("/sdk.js")
    def sdk() -> Response:
        headers = {"Content-Encoding": "gzip", **_A_DAY}
        return Response(packed, mimetype="text/javascript", headers=headers)

    @app.get("/<path:path>")
    def rest(path: str) -> Response:
        body = '{"languages":{}}' if path.endswith("manifest.json") else ""
        headers = {"Access-Control-Allow-Origin": "*", **_A_DAY}
        return Response(body, mimetype="text/javascript", headers=headers)

    return app


def real_sdk(emulator_url: str, network_url: str) -> bytes | None:
    """Return LINE's own SDK as one script with these hosts; ``None`` if npm has not brought it."""
    script = bundle()
    if script is None:
        return None
    return lead_to(script, line=emulator_url, network=network_url).encode()
