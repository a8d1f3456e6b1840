"""What our styles and scripts ask of a browser, held against published compatibility data.

The floor is what every page needs to be whole. What is newer must stand in the table of
``docs/explanation/browsers.md`` with what is lost without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flask_lineconnect.web.assets import script

from .browser_data import ENGINES
from .browser_data import IN_SCRIPTS
from .browser_data import features_of_styles
from .browser_data import forget_styles
from .browser_data import plain
from .browser_data import versions_of

ROOT = Path(__file__).parents[2]
STYLES = [
    *(ROOT / "flask_lineconnect" / "static").glob("*.css"),
    *(ROOT / "liff" / "static").glob("*.css"),
    *(ROOT / "demo_shop" / "static").glob("*.css"),
]
SCRIPTS = sorted((ROOT / "liff" / "static").glob("*.js"))
PAGE = ROOT / "docs" / "explanation" / "browsers.md"
#: A phone with these or newer gets pages that are whole.
FLOOR = {"safari_ios": 15.0, "chrome_android": 90.0, "firefox": 90.0}
#: What scripts use only where it is, or where something younger is.
WHERE_IT_CAN = {
    "api.CookieStore",
    "api.Element.replaceChildren",
    "api.NavigationPreloadManager",
    "api.ServiceWorker",
    "api.WakeLock",
    "javascript.builtins.Intl.DateTimeFormat.DateTimeFormat.options_parameter"
    ".options_dateStyle_parameter",
}
_WHERE_KNOWN = re.compile(r"@supports \(word-break: auto-phrase\) \{(?:[^{}]*\{[^{}]*\})*\s*\}")


def _features_of_styles() -> set[str]:
    sheets = [features_of_styles(file.read_text("utf-8")) for file in STYLES]
    return set[str]().union(*sheets)


def _features_of_scripts() -> set[str]:
    text = "\n".join(script(file).decode() for file in SCRIPTS)
    return {path for pattern, path in IN_SCRIPTS.items() if re.search(pattern, text)}


def _newer(features: set[str]) -> dict[str, dict[str, float]]:
    """Return what the floor lacks, with the versions that have it."""
    known = {path: versions for path in sorted(features) if (versions := versions_of(path))}
    assert len(known) > 10
    return {
        path: versions
        for path, versions in known.items()
        if any(versions[engine] > FLOOR[engine] for engine in ENGINES)
    }


def _rows() -> dict[str, str]:
    """Return the table of the page: a feature's place in the data, and its row."""
    lines = PAGE.read_text("utf-8").splitlines()
    return {
        found[1]: line
        for line in lines
        if (found := re.match(r"\| `((?:css|api|java)[^`]+)`", line))
    }


def _written(version: float) -> str:
    return "–" if version == float("inf") else f"{version:g}"


@pytest.mark.parametrize("find", [_features_of_styles, _features_of_scripts])
def test_what_the_floor_lacks_is_in_the_table_with_its_versions(find: Any) -> None:
    rows = _rows()
    for path, versions in _newer(find()).items():
        assert path in rows, f"{path} is newer than the floor: {versions}"
        told = [cell.strip() for cell in rows[path].split("|")[2:5]]
        assert told == [_written(versions[engine]) for engine in ENGINES], path
        # What is lost without it is said.
        assert rows[path].split("|")[5].strip(), path


def test_the_table_tells_of_nothing_that_is_not_used() -> None:
    assert set(_rows()) == set(_newer(_features_of_styles() | _features_of_scripts()))


@pytest.mark.parametrize(
    ("row", "features"),
    [
        ("the card with its live news", lambda: _features_of_scripts() - WHERE_IT_CAN),
        ("the screen stays on", lambda: {"api.WakeLock"}),
        ("the last card without a network", lambda: {"api.CookieStore"}),
        ("Japanese lines that break", lambda: {"css.properties.word-break.auto-phrase"}),
    ],
)
def test_the_first_table_says_which_versions_get_what(
    row: str, features: Callable[[], set[str]]
) -> None:
    line = next(
        line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {row}")
    )
    told = [cell.strip() for cell in line.split("|")[2:5]]
    known = [versions for path in features() if (versions := versions_of(path))]
    wanted = [_written(max(versions[engine] for versions in known)) for engine in ENGINES]
    if row.startswith("the last card"):
        # It has the store, in workers always empty.
        wanted[ENGINES.index("firefox")] = "–"
    assert told == wanted


def test_nothing_leans_on_mixed_colours_or_unprefixed_looks() -> None:
    for file in STYLES:
        text = plain(file.read_text("utf-8"))
        assert "color-mix(" not in text, file
        looks = re.findall(r"(-webkit-)?appearance: none", text)
        assert looks.count("-webkit-") == looks.count(""), file


def test_lines_are_balanced_only_where_phrases_are_known() -> None:
    for file in [*STYLES, *(ROOT / "flask_lineconnect" / "emulator" / "static").glob("*.css")]:
        text = plain(file.read_text("utf-8"))
        # Where they are not, lines of equal length split Japanese words.
        known = re.sub(
            r"@supports \(word-break: auto-phrase\) \{(?:[^{}]*\{[^{}]*\})*\s*\}", "", text
        )
        rules = re.findall(r"([^{}]*)\{[^{}]*text-wrap: balance", known)
        assert [rule for rule in rules if "lc-phrases" not in rule] == [], file


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a:hover { color: red; accent-color: blue }", "a:hover { color: red; forgotten: blue }"),
        ("p:has(b) { color: red; }", "p:has(b) :forgotten { color: red; }"),
        ("b { height: 1vh; height: 1dvh; }", "b { height: 1vh; forgotten: 1dvh; }"),
        (
            "b { -webkit-appearance: none; appearance: none; }",
            "b { -webkit-appearance: none; forgotten: none; }",
        ),
        (
            "@supports (word-break: auto-phrase) { b { text-wrap: balance; } }",
            "@supports (forgotten: auto-phrase) { b { forgotten: balance; } }",
        ),
    ],
)
def test_an_old_phone_reads_what_it_knows(written: str, read: str) -> None:
    assert forget_styles(written, ios=15.0) == read
