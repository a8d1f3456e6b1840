"""S10.4: files of lists open rightly in Excel, and no cell of them computes anything."""

from __future__ import annotations

import csv
import io

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.console.csv_files import cell
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+81", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＠x", "  =1", "　=1"],
)
def test_S10_4_a_text_never_becomes_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["お茶", "K-100", "a=b", "", 5, -5, 1.5])
def test_S10_4_other_values_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_a_file_has_its_mark_quotes_and_endings(owner: FlaskClient, line: LineState) -> None:
    link(line, add_member(line, '=HYPERLINK("http://x")'))
    form = {"csrf_token": token_in(owner.get(f"{CONSOLE}/more"))}
    answer = owner.post(f"{CONSOLE}/audit.csv", data=form, buffered=True)
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith("\ufeff".encode())
    assert b"\r\n" in answer.data
    assert "filename*=UTF-8''%E6%93%8D" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["日時", "した人", "したこと", "対象"]
    assert [row[2:] for row in rows[2:]] == [["連携した", '\'=HYPERLINK("http://x")']]
