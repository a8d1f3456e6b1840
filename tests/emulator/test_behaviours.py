"""Each numbered behaviour of LINE's is tested under its number, or named as not imitated."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Login, friend option, LIFF, messaging, account link, webhooks: how many of each there are.
COUNTS = {"L": 36, "P": 7, "I": 17, "M": 32, "K": 6, "W": 16}
BEHAVIOURS = {f"{letter}{n}" for letter, count in COUNTS.items() for n in range(1, count + 1)}
_NUMBER = re.compile(r"(?<![A-Za-z0-9])([LPIMKW])(\d+)(?:_to_\1(\d+))?(?![A-Za-z0-9])")


def test_every_behaviour_is_tested_or_named_as_not_imitated() -> None:
    names = (name.removeprefix("test_").replace("_", " ") for name in _test_names())
    tested = {number for name in names for number in _numbers(name.replace(" to ", "_to_"))}
    named = _numbers(_not_imitated())

    assert BEHAVIOURS - tested - named == set()
    assert tested & named == set()
    assert (tested | named) <= BEHAVIOURS


def _test_names() -> list[str]:
    return [
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def _not_imitated() -> str:
    text = (ROOT / "docs/emulator.md").read_text("utf-8")
    return text.partition("## Not imitated\n")[2].partition("\n## ")[0]


def _numbers(text: str) -> set[str]:
    return {
        f"{letter}{number}"
        for letter, first, last in _NUMBER.findall(text)
        for number in range(int(first), int(last or first) + 1)
    }
