"""The page by what one sees knows every word of ours, and quotes none that we don't say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text("utf-8")
PACKAGE = ROOT / "flask_lineconnect"
OPENING = ROOT / "liff" / "templates" / "lineconnect" / "liff" / "opening.html"
MODULES = [path for path in PACKAGE.rglob("*.py") if "emulator" not in path.parts]
#: Flask-WTF's, not ours.
OF_OTHERS = {"The referrer header is missing."}


#: Whose pages customers see.
ROOMS = {"login", "linking", "liff", "web"}


def _steps() -> Iterator[str]:
    """Give the words in small print of all refusals that a customer reads."""
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] not in ROOMS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            by_name = [word.value for word in node.keywords if word.arg == "step"]
            is_short = isinstance(node.func, ast.Name) and node.func.id == "_refused"
            for value in by_name + (node.args if is_short else []):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


@cache
def _texts() -> str:
    """Return all texts in our code, in one line."""
    found = [
        node.value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return " ".join(" ".join(found).split())


def test_every_step_is_told() -> None:
    section = PAGE.partition("## A customer reads")[2].partition("\n## ")[0]
    told = {
        word
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        for word in re.findall(r"`([\w-]+)`", row)
    }
    assert told == set(_steps())


def test_every_sentence_of_the_opening_page_is_told() -> None:
    section = PAGE.partition("## The card does not open")[2].partition("\n## ")[0]
    told = re.findall(r"^\| 「([^」]+)」 \|", section, re.MULTILINE)
    said = re.findall(r'data-problem="\w+">\{\{ _\("([^"]+)"\)', OPENING.read_text("utf-8"))
    assert said
    assert [said_one for said_one in said if not said_one.startswith(tuple(told))] == []
    assert len(told) == len(said)


@pytest.mark.parametrize("quoted", re.findall(r'^\| [^|]*?"([^"|]{12,})"', PAGE, re.MULTILINE))
def test_what_is_quoted_is_said(quoted: str) -> None:
    """A part that is filled in is three dots, or a value in quotation marks."""
    if quoted in OF_OTHERS:
        return
    texts = _texts()
    parts = [part.strip() for part in re.split(r"…|'\w*'", quoted) if len(part.strip()) > 3]
    assert parts
    assert [part for part in parts if part not in texts] == []
