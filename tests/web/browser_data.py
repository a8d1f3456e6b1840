"""Which version of an engine has what styles and scripts use, by the data that MDN publishes."""

from __future__ import annotations

import json
import re
from functools import cache
from functools import partial
from typing import Any

from tests.npm import needs

ENGINES = ("safari_ios", "chrome_android", "firefox")
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
    r"\bAbortController\b": "api.AbortController",
    r"\.finally\(": "javascript.builtins.Promise.finally",
    r"\bcatch \{": "javascript.statements.try_catch.optional_catch_binding",
    r"\d_\d": "javascript.grammar.numeric_separators",
    r"\bdateStyle\b": (
        "javascript.builtins.Intl.DateTimeFormat.DateTimeFormat.options_parameter"
        ".options_dateStyle_parameter"
    ),
}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DECLARATION = re.compile(r"([{;]\s*)([a-z-]+)(\s*:\s*)([^;{}]+)(?=[;}])")
_SELECTOR = re.compile(r"[^{};]+\{")
_PSEUDO = re.compile(r":([a-z-]+)")
_PREFERENCE = re.compile(r"\((prefers-[a-z-]+)")
_CONDITION = re.compile(r"(@supports \()([a-z-]+): ([a-z-]+)")


@cache
def _data() -> Any:
    return json.loads((needs("@mdn/browser-compat-data") / "data.json").read_text("utf-8"))


def versions_of(path: str) -> dict[str, float] | None:
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


def plain(css: str) -> str:
    """Return a style sheet without its comments."""
    return _COMMENT.sub("", css)


def features_of_styles(css: str) -> set[str]:
    """Return what a style sheet uses, by its place in the data."""
    found: set[str] = set()
    css = plain(css)
    for _before, name, _colon, value in _DECLARATION.findall(css):
        found |= _features_of(name, value)
    found |= {f"css.selectors.{name}" for name in _PSEUDO.findall(css)}
    found |= {f"css.at-rules.{name}" for name in re.findall(r"@([a-z-]+)", css)}
    found |= {f"css.at-rules.media.{name}" for name in _PREFERENCE.findall(css)}
    return found


def _features_of(name: str, value: str) -> set[str]:
    """Return what a declaration uses; a prefixed one stands beside the plain one."""
    if name.startswith("-"):
        return set()
    found = {f"css.properties.{name}"}
    found |= {f"css.properties.{name}.{word}" for word in re.findall(r"[a-z-]{3,}", value)}
    calls = re.findall(r"([a-z-]+)\(", value)
    found |= {f"css.types.{call}" for call in calls}
    found |= {f"css.types.color.{call}" for call in calls}
    if "dvh" in value:
        found.add("css.types.length.viewport_percentage_units_dynamic")
    return found


def forget_styles(css: str, *, ios: float) -> str:
    """Return a style sheet as an iPhone of before reads it: what is newer is unknown to it."""
    is_newer = partial(_is_newer, ios=ios)

    def declaration(found: re.Match[str]) -> str:
        before, name, colon, value = found.groups()
        is_known = not any(map(is_newer, _features_of(name, value)))
        return found[0] if is_known else f"{before}forgotten{colon}{value}"

    def condition(found: re.Match[str]) -> str:
        start, name, value = found.groups()
        is_known = not any(map(is_newer, _features_of(name, value)))
        return found[0] if is_known else f"{start}forgotten: {value}"

    def preference(found: re.Match[str]) -> str:
        return "(forgotten" if is_newer(f"css.at-rules.media.{found[1]}") else found[0]

    def selector(found: re.Match[str]) -> str:
        names = [] if "@" in found[0] else _PSEUDO.findall(found[0])
        is_known = not any(is_newer(f"css.selectors.{name}") for name in names)
        return found[0] if is_known else found[0].replace("{", ":forgotten {")

    css = _DECLARATION.sub(declaration, plain(css))
    css = _CONDITION.sub(condition, css)
    css = _PREFERENCE.sub(preference, css)
    return _SELECTOR.sub(selector, css)


def _is_newer(path: str, *, ios: float) -> bool:
    versions = versions_of(path)
    return versions is not None and versions["safari_ios"] > ios
