"""What a LIFF page loads stays small: an old phone at the counter waits for every kilobyte."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.state import LineState
from flask_lineconnect.web.assets import FOLDERS
from flask_lineconnect.web.assets import script
from tests.people import add_member
from tests.people import link
from tests.people import open_as

#: Bytes, compressed as web servers do it.
LIMIT = 10_000
SCRIPTS = sorted(FOLDERS["liff_static"].glob("*.js"))


def _packed(bodies: Iterable[bytes]) -> int:
    return sum(len(gzip.compress(body, 6)) for body in bodies)


def _served(client: FlaskClient, path: str) -> bytes:
    with client.get(path) as answer:
        assert answer.status_code == 200
        return bytes(answer.data)


def test_all_scripts_together_are_below_ten_kilobytes(client: FlaskClient) -> None:
    names = [file.name for file in SCRIPTS]
    assert {"card.js", "opening.js", "session.js", "worker.js"} <= set(names)
    bodies = [_served(client, f"/line/liff/static/now/{name}") for name in names]
    assert _packed(bodies) < LIMIT


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_scripts_are_served_without_comments_and_nothing_else_is_lost(file: Path) -> None:
    kept = script(file).decode().splitlines()
    lines = file.read_text("utf-8").splitlines()
    dropped = [line.strip() for line in lines if line not in kept]
    assert dropped
    assert all(line.startswith(("//", "/**")) for line in dropped)
    assert [line for line in lines if line.strip() not in dropped] == kept


@pytest.mark.parametrize("page", ["", "/orders", "/points", "/membership"])
def test_the_styles_of_a_page_are_below_ten_kilobytes(
    client: FlaskClient, line: LineState, page: str
) -> None:
    member = add_member(line)
    link(line, member)
    html = open_as(client, member).get(f"/line/liff{page}").text
    found = re.findall(r'href="([^"]+\.css)"', html)
    names = [path.rpartition("/")[2] for path in found]
    assert names == ["liff.css", "member.css"][: len(names)]
    assert _packed(_served(client, path) for path in found) < LIMIT


@pytest.mark.parametrize(
    ("is_member", "limit", "requests"), [(False, 12_000, 5), (True, 14_500, 6)]
)
def test_a_whole_page_is_what_it_was(
    client: FlaskClient, line: LineState, is_member: bool, limit: int, requests: int
) -> None:
    """The opening page, and the card: compressed, without the theme and LINE's SDK."""
    if is_member:
        member = add_member(line)
        link(line, member)
        client = open_as(client, member)
    html = re.sub(r"<style[^>]*>.*?</style>", "", client.get("/line/liff").text, flags=re.DOTALL)
    found = set(re.findall(r'"(/[^"]+\.(?:css|js))"', html))
    modules = [path for path in found if path.endswith(".js")]
    for path in modules:
        for name in re.findall(r'(?:from |import\()"\./([^"]+)"', _served(client, path).decode()):
            found.add(f"{path.rpartition('/')[0]}/{name}")
    assert 1 + len(found) <= requests, found
    assert _packed([html.encode(), *(_served(client, path) for path in found)]) < limit


def test_nothing_is_loaded_from_a_third_party_but_lines_sdk(client: FlaskClient) -> None:
    html = client.get("/line/liff").text
    foreign = {url for url in re.findall(r'(?:href|src)="(https?://[^"]+)"', html)}
    assert foreign == {"https://static.line-scdn.net/liff/edge/2/sdk.js"}
    for file in SCRIPTS:
        assert b"http" not in script(file), file
