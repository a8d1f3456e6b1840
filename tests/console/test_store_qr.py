"""Store QR codes in the console: made for a place, printed, and counted."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.linking import accounts
from flask_lineconnect.login import labels
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import token_in

from .conftest import CONSOLE

CODES = f"{CONSOLE}/store-qr"


def _make(client: FlaskClient, label: str) -> int:
    token = token_in(client.get(CODES))
    return client.post(f"{CODES}/make", data={"csrf_token": token, "label": label}).status_code


def test_a_code_is_made_once_and_counts_whom_it_brought(
    owner: FlaskClient, line: LineState
) -> None:
    for _press in range(2):
        assert _make(owner, "レジ横<b>") == 303
    account = accounts.ensure_account(line.session, "U" + "a" * 32, now=line.clock())
    member = add_member(line, "山田 花子")
    accounts.link(line, account, member.id, source="レジ横<b>", now=line.clock())
    line.session.commit()
    page = owner.get(CODES).text
    assert page.count("レジ横&lt;b&gt;</b>") == 1
    assert "ここから連携 1人" in page
    assert labels.made_label("レジ横<b>", None) == "レジ横<b>", "its address is believed"


@pytest.mark.parametrize("label", ["", " ", "a" * 101, "a\nb", "liff", "\u202e"])
def test_a_name_that_no_address_can_carry_is_refused(owner: FlaskClient, label: str) -> None:
    assert _make(owner, label) == 400


@pytest.mark.parametrize(("size", "copies"), [("a4", 1), ("a5", 1), ("a6", 1), ("card", 10)])
def test_a_sheet_has_its_codes_and_a_ruler(owner: FlaskClient, size: str, copies: int) -> None:
    assert _make(owner, "till") == 303
    page = owner.get(f"{CODES}/print?label=till&size={size}").text
    assert len(re.findall('class="lc-poster"', page)) == copies
    assert "https://shop.example/line/login?source=till" in page
    assert "made=" not in page
    assert "50 mm" in page


@pytest.mark.parametrize("query", ["label=none", "label=till&size=a0", ""])
def test_what_was_not_made_is_not_printed(owner: FlaskClient, query: str) -> None:
    _make(owner, "till")
    assert owner.get(f"{CODES}/print?{query}").status_code == 404
