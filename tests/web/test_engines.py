"""What our styles and scripts ask of a browser, held against published compatibility data.

The floor is what every page needs to be whole. What is newer must stand in the table of
``docs/explanation/browsers.md`` with what is lost without it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flask_lineconnect.web.assets import script
from tests.npm import needs

ROOT = Path(__file__).parents[2]
STYLES = [
    *(ROOT / "flask_lineconnect" / "static").glob("*.css"),
    *(ROOT / "liff" / "static").glob("*.css"),
    *(ROOT / "demo_shop" / "static").glob("*.css"),
]
SCRIPTS = sorted((ROOT / "liff" / "static").glob("*.js"))
PAGE = ROOT / "docs" / "explanation" / "browsers.md"
ENGINES = ("safari_ios", "chrome_android", "firefox")
#: A phone with these or newer gets pages that are whole.
FLOOR = {"safari_ios": 15.0, "chrome_android": 90.0, "firefox": 90.0}
#: What scripts use, by how it is written, with its place in the data.
IN_SCRIPTS = {
    r"\?\.": "javascript.operators.optional_chaining",
    r"\?\?": "javascript.operators.nullish_coalescing",
    r"\bimport\(": "javascript.operators.import",
    r"\bEventSource\b": "api.EventSource",
    r"\bwakeLock\b": "api.WakeLock",
    r"\bcookieStore\b": "api.CookieStore",
    r"\bnavigationPreload\b": "api.NavigationPreloadManager",
    r"\bserviceWorker\b": "api.ServiceWorker",
    r"\breplaceChildren\b": "api.Element.replaceChildren",
    r"\.replaceWith\(": "api.Element.replaceWith",
    r"\.matchAll\(": "javascript.builtins.String.matchAll",
    r"\bAbortSignal\.timeout\b": "api.AbortSignal.timeout_static",
    r"\bstructuredClone\b": "api.structuredClone",
    r"\.at\(-?\d": "javascript.builtins.Array.at",
    r"\.replaceAll\(": "javascript.builtins.String.replaceAll",
    r"\bPromise\.any\b": "javascript.builtins.Promise.any",
    r"\bObject\.fromEntries\b": "javascript.builtins.Object.fromEntries",
    r"\bqueueMicrotask\b": "api.queueMicrotask",
}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DECLARATION = re.compile(r"[{;]\s*([a-z-]+)\s*:\s*([^;{}]+)")


@cache
def _data() -> Any:
    return json.loads((needs("@mdn/browser-compat-data") / "data.json").read_text("utf-8"))


def _versions(path: str) -> dict[str, float] | None:
    """Return since when engines have a feature; ``inf``: not at all; ``None``: no such entry."""
    node = _data()
    for key in path.split("."):
        if key not in node:
            return None
        node = node[key]
    support = node.get("__compat", {}).get("support")
    return support and {engine: _since(support[engine]) for engine in ENGINES}


def _since(statements: Any) -> float:
    for one in statements if isinstance(statements, list) else [statements]:
        added = str(one.get("version_added", "")).removeprefix("≤")
        if added.replace(".", "").isdigit() and not one.get("flags") and not one.get("prefix"):
            return float(".".join(added.split(".")[:2]))
    return float("inf")


def _features_of_styles() -> set[str]:
    found: set[str] = set()
    for file in STYLES:
        text = _COMMENT.sub("", file.read_text("utf-8"))
        for name, value in _DECLARATION.findall(text):
            if name.startswith("-"):
                continue
            found.add(f"css.properties.{name}")
            found |= {f"css.properties.{name}.{word}" for word in re.findall(r"[a-z-]{3,}", value)}
            calls = re.findall(r"([a-z-]+)\(", value)
            found |= {f"css.types.{call}" for call in calls}
            found |= {f"css.types.color.{call}" for call in calls}
            if "dvh" in value:
                found.add("css.types.length.viewport_percentage_units_dynamic")
        found |= {f"css.selectors.{name}" for name in re.findall(r":([a-z-]+)", text)}
        found |= {f"css.at-rules.{name}" for name in re.findall(r"@([a-z-]+)", text)}
        found |= {f"css.at-rules.media.{name}" for name in re.findall(r"\((prefers-[a-z-]+)", text)}
    return found


def _features_of_scripts() -> set[str]:
    text = "\n".join(script(file).decode() for file in SCRIPTS)
    return {path for pattern, path in IN_SCRIPTS.items() if re.search(pattern, text)}


def _newer(features: set[str]) -> dict[str, dict[str, float]]:
    """Return what the floor lacks, with the versions that have it."""
    known = {path: versions for path in sorted(features) if (versions := _versions(path))}
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


def test_nothing_leans_on_mixed_colours_or_unprefixed_looks() -> None:
    for file in STYLES:
        text = _COMMENT.sub("", file.read_text("utf-8"))
        assert "color-mix(" not in text, file
        looks = re.findall(r"(-webkit-)?appearance: none", text)
        assert looks.count("-webkit-") == looks.count(""), file
