"""Reads LINE user ids from a CSV file of any other tool's, line by line.

A line without an id is told with its number and costs no other one: neither a wrong id, nor a
quotation mark that is never closed, which takes all that follows for one field.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError

#: Source: Messaging API reference, "Source user".
USER_ID = re.compile(r"U[0-9a-f]{32}")
#: What may be an id, of whatever form; such a first line is no heading.
_LIKE_AN_ID = re.compile(r"[A-Za-z]?[0-9A-Fa-f]{16,}")
_FOUND = re.compile(r"U[0-9a-f]{32}(?![0-9a-f])")
#: Headings under which other tools write ids, without signs between their words.
_HEADINGS = ("lineuserid", "userid", "lineid", "lineuid", "uid", "lineユーザーid", "ユーザーid")
_BETWEEN_WORDS = re.compile(r"[\s_\-.]+")
_QUOTED = re.compile(r'"[^"]*"')
#: What is looked at to find out how a file is written, in bytes.
_HEAD = 65_536
#: Lines of one record: more of them are a quotation mark that is never closed.
_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class IdLine:
    """One line of a file: an id, or what is wrong with it.

    :ivar number: as editors count, from 1.
    """

    number: int
    line_user_id: str | None
    problem: str | None = None


def read_ids(path: Path, *, column: str | None = None) -> Iterator[IdLine]:
    """Return the lines of a file; empty ones, and the one with headings, are left out.

    :param column: the heading of the column with the ids; found by itself where it has a usual
        name, and in files without headings.
    :raises UsageError: the file can't be read, or has no such column.
    """
    try:
        with path.open("rb") as file:
            encoding = _encoding(file.read(_HEAD))
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            yield from _ids(lines, column)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None


def problem_of(cell: str) -> str | None:
    """Say why a text is no LINE user id; ``None`` if it is one."""
    if USER_ID.fullmatch(cell):
        return None
    if not cell:
        return "there is no id"
    if re.fullmatch(r"[CR][0-9a-f]{32}", cell):
        return "the id of a group or a room, and of no person"
    if re.fullmatch(r"[Uu][0-9A-Fa-f]{32}", cell):
        return "an id has a capital U, and small letters behind it"
    if cell.startswith("@"):
        return "the id of an official account, and of no person"
    return "no LINE user id: U, and 32 of the signs 0-9 and a-f"


def _encoding(head: bytes) -> str:
    """Return how a file is written: ids are the same in most encodings, headings are not."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        # The last sign may be cut in two.
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8-sig"


def _ids(lines: io.TextIOBase, column: str | None) -> Iterator[IdLine]:
    place: int | None = None
    for number, row in _rows(lines):
        if not any(row):
            continue
        if place is None:
            place, is_heading = _place(row, column)
            if is_heading:
                continue
        cell = row[place] if place < len(row) else ""
        problem = problem_of(cell)
        yield IdLine(number, cell if problem is None else None, problem)


def _rows(lines: io.TextIOBase) -> Iterator[tuple[int, list[str]]]:
    """Return the records of a file, each with the number of its first line."""
    number, sign = 0, None
    for line in lines:
        number += 1
        if sign is None:
            sign = max(",;\t", key=_QUOTED.sub("", line).count)
        record, first = [line], number
        # A field between quotation marks may go over several lines.
        while "".join(record).count('"') % 2 and len(record) < _MOST_LINES:
            following = next(lines, None)
            if following is None:
                break
            record.append(following)
            number += 1
        whole = "".join(record)
        if len(record) > 1 and (whole.count('"') % 2 or len(_FOUND.findall(whole)) > 1):
            # It is never closed, or swallows other people: each line stands for itself.
            for place, one in enumerate(record):
                yield first + place, _cells(one.replace('"', ""), sign)
        else:
            yield first, _cells(whole, sign)


def _cells(text: str, sign: str) -> list[str]:
    try:
        row = next(csv.reader([text], delimiter=sign), [])
    except csv.Error:
        # Longer than a field may be, or with a sign that no text has.
        row = text.split(sign)
    return [cell.strip() for cell in row]


def _place(row: Sequence[str], column: str | None) -> tuple[int, bool]:
    """Return where the ids stand, by the first line, and whether that has headings."""
    words = [_BETWEEN_WORDS.sub("", cell).casefold() for cell in row]
    if column is not None:
        wanted = _BETWEEN_WORDS.sub("", column).casefold()
        if wanted in words:
            return words.index(wanted), True
        raise UsageError(f"there is no column {column!r}; the first line has {_shown(row)}")
    for place, cell in enumerate(row):
        if USER_ID.fullmatch(cell):
            return place, False
    for heading in _HEADINGS:
        if heading in words:
            return words.index(heading), True
    if len(row) == 1:
        return 0, not _LIKE_AN_ID.fullmatch(row[0])
    raise UsageError(
        f"no column is called like one of LINE user ids; the first line has {_shown(row)}. Name "
        "the column with --column"
    )


def _shown(row: Sequence[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in row[:20])
