"""Styles and scripts: what stands in them, how they are packed, and how long they are kept."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.web.assets import FOLDERS

STATIC = "/line/static/now/"
LIFF = "/line/liff/static/now/"


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [(f"{STATIC}pages.css", "text/css"), (f"{LIFF}card.js", "text/javascript")],
)
def test_texts_are_packed_for_whoever_unpacks_them(
    client: FlaskClient, path: str, mimetype: str
) -> None:
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    for answer in (plain, packed):
        assert answer.status_code == 200
        assert answer.mimetype == mimetype
        assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2


def test_the_styles_inside_line_are_one_file(client: FlaskClient) -> None:
    body = client.get(f"{LIFF}liff.css").data
    parts = [FOLDERS["static"] / "buttons.css", FOLDERS["static"] / "pages.css"]
    parts.append(FOLDERS["liff_static"] / "liff.css")
    assert body == b"".join(part.read_bytes() for part in parts)


@pytest.mark.parametrize("name", ["none.css", "none.js", "../templates/lineconnect/base.html"])
def test_there_is_nothing_else(client: FlaskClient, name: str) -> None:
    assert client.get(f"{STATIC}{name}").status_code == 404
