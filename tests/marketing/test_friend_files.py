"""Files with LINE user ids, as other tools write them; no line costs another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.friends.id_files import IdLine
from flask_lineconnect.marketing.friends.id_files import read_ids

IDS = [f"U{number:032x}" for number in range(1, 9)]
ONE, TWO, THREE = IDS[:3]


def read(path: Path, content: str | bytes, column: str | None = None) -> list[IdLine]:
    """Return the lines of a file with this content."""
    raw = content if isinstance(content, bytes) else content.encode()
    (path / "ids.csv").write_bytes(raw)
    return list(read_ids(path / "ids.csv", column=column))


def good(lines: list[IdLine]) -> list[tuple[int, str]]:
    """Return the lines that have an id."""
    return [(one.number, one.line_user_id) for one in lines if one.line_user_id is not None]


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE}\n{TWO}\n",
        f"{ONE}\r\n{TWO}",
        f"  {ONE} \n{TWO}\t\n",
        f"花子,{ONE}\n太郎,{TWO}\n",
        f'"花,子";"{ONE}"\n"太郎";"{TWO}"\n',
        f"花子\t{ONE}\n太郎\t{TWO}\n".encode("utf-16"),
        f"花子,{ONE}\n太郎,{TWO}\n".encode("cp932"),
        f"\ufeff{ONE}\n{TWO}\n",
    ],
)
def test_without_headings_the_column_is_found(tmp_path: Path, content: str | bytes) -> None:
    assert good(read(tmp_path, content)) == [(1, ONE), (2, TWO)]


@pytest.mark.parametrize(
    "heading",
    ["line_user_id", "LINE User ID", "userId", "UID", "LINEユーザーID", "line-uid"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_usual_headings_are_known(tmp_path: Path, heading: str, encoding: str) -> None:
    content = f"表示名,{heading},タグ\n花子,{ONE},常連\n\n,,\n太郎,{TWO},\n"
    assert good(read(tmp_path, content.encode(encoding))) == [(2, ONE), (5, TWO)]


def test_a_column_may_be_named(tmp_path: Path) -> None:
    content = f"user_id,友だち\n1,{ONE}\n2,{TWO}\n"
    assert good(read(tmp_path, content, "友だち")) == [(2, ONE), (3, TWO)]
    with pytest.raises(UsageError, match=r"no column 'id'; the first line has 'user_id', '友だち'"):
        read(tmp_path, content, "id")


def test_a_file_without_such_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--column"):
        read(tmp_path, "name,mail\n花子,a@mail.example\n")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (f"C{ONE[1:]}", "group"),
        (f"R{ONE[1:]}", "group"),
        (ONE.upper()[:-1] + "A", "small letters"),
        ("u" + ONE[1:], "capital U"),
        ("@komorebi", "official account"),
        (ONE[:-1], "32 of"),
        (ONE + "0", "32 of"),
        (ONE[1:], "32 of"),
        ("花子", "32 of"),
        ("Ｕ" + ONE[1:], "32 of"),
        (ONE[:-1] + "g", "32 of"),
        (f"https://line.me/{ONE}", "32 of"),
    ],
)
def test_a_bad_line_is_told_and_costs_no_other(tmp_path: Path, bad: str, says: str) -> None:
    lines = read(tmp_path, f"id\n{ONE}\n{bad}\n{TWO}\n")
    assert good(lines) == [(2, ONE), (4, TWO)]
    (told,) = [one for one in lines if one.problem is not None]
    assert told.number == 3
    assert says in str(told.problem)


def test_a_row_that_ends_early_is_told(tmp_path: Path) -> None:
    lines = read(tmp_path, f"name,userId\n花子,{ONE}\n太郎\n次郎,{TWO}\n")
    assert good(lines) == [(2, ONE), (4, TWO)]
    assert [(one.number, one.problem) for one in lines if one.problem] == [(3, "there is no id")]


def test_the_first_line_may_be_a_bad_id(tmp_path: Path) -> None:
    lines = read(tmp_path, f"C{ONE[1:]}\n{TWO}\n")
    assert [(one.number, one.line_user_id) for one in lines] == [(1, None), (2, TWO)]


@pytest.mark.parametrize("mark", ['"', '"花子', '5" ring,'])
def test_a_quotation_mark_that_is_never_closed_swallows_nobody(tmp_path: Path, mark: str) -> None:
    rows = "".join(f"{one},{mark if place == 2 else '子'}\n" for place, one in enumerate(IDS))
    found = good(read(tmp_path, f"userId,name\n{rows}"))
    assert found == [(place + 2, one) for place, one in enumerate(IDS)]


def test_a_quotation_mark_far_from_its_end(tmp_path: Path) -> None:
    ids = [f"U{number:032x}" for number in range(500)]
    rows = "".join(f"{one},{'+' if place % 200 else chr(34)}\n" for place, one in enumerate(ids))
    assert [one for _number, one in good(read(tmp_path, f"userId,n\n{rows}"))] == ids


def test_a_note_may_go_over_several_lines(tmp_path: Path) -> None:
    content = f'userId,note\n{ONE},"一行目\n二行目\n\n三行目"\n{TWO},\n'
    assert good(read(tmp_path, content)) == [(2, ONE), (6, TWO)]


def test_odd_bytes_stop_nothing(tmp_path: Path) -> None:
    long = "x" * 200_000
    content = f"userId,n\n{ONE},\0\n{TWO},{long}\n{THREE},".encode() + b"\xff\x81\n"
    assert [one for _number, one in good(read(tmp_path, content))] == [ONE, TWO, THREE]


@pytest.mark.parametrize("content", ["", "\n\n", ",,\n", "userId\n"])
def test_a_file_of_nobody(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == []


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        list(read_ids(tmp_path / "nowhere.csv"))
