"""Puts values into the JSON of a template after it was parsed: they never become JSON text.

While a template renders, each value leaves a mark in the text and is kept apart. The text is parsed
with its marks, so that the template alone gives it its shape; then the values take their places: as
text where a mark stands inside a string, otherwise as themselves.
"""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any
from typing import NoReturn

from jinja2 import Undefined

#: Both ends of a mark, of Unicode's private use area, and the beginning of one that stood outside a
#: string. Between them are digits alone, so that filters that change case leave them as they are.
_OPEN, _CLOSE, _ALONE = "\ue000", "\ue001", "\ue002"


class JsonText(str):
    """Text that is JSON already, the result of ``|tojson``."""

    __slots__ = ()


class Places:
    """The values of one rendering, and where each belongs."""

    def __init__(self) -> None:
        # Whoever writes a value can't know it, so no value holds another one's mark.
        self._secret = str(secrets.randbits(64))
        self._values: list[object] = []
        number = f"{self._secret}-([0-9]+){_CLOSE}"
        self._inside = re.compile(_OPEN + number)
        self._alone = re.compile(_ALONE + number)
        self._string_or_mark = re.compile(rf'"(?:[^"\\]|\\.)*"|{_OPEN}{number}', re.DOTALL)

    def take(self, value: object) -> str:
        """Keep a value and return the mark that stands for it."""
        self._values.append(value)
        return f"{_OPEN}{self._secret}-{len(self._values) - 1}{_CLOSE}"

    def parse(self, text: str) -> Any:
        """Return the object that a rendered text describes, with its values.

        :raises json.JSONDecodeError: the text is no JSON.
        :raises ValueError: a value can't stand where it is.
        """

        def quoted(found: re.Match[str]) -> str:
            is_string = found[1] is None
            return found[0] if is_string else f'"{_ALONE}{found[0][1:]}"'

        shape = json.loads(self._string_or_mark.sub(quoted, text), parse_constant=_refuse)
        return self._filled(shape)

    def _filled(self, node: Any) -> Any:
        if isinstance(node, str):
            alone = self._alone.fullmatch(node)
            return self._itself(self._values[int(alone[1])]) if alone else self._text(node)
        if isinstance(node, list):
            return [self._filled(one) for one in node]
        if isinstance(node, dict):
            return {self._key(key): self._filled(one) for key, one in node.items()}
        return node

    def _key(self, key: str) -> str:
        alone = self._alone.fullmatch(key)
        return self._as_text(self._values[int(alone[1])]) if alone else self._text(key)

    def _text(self, text: str) -> str:
        """Return a string of the template, or of a value that a template made, with its values."""
        return self._inside.sub(lambda mark: self._as_text(self._values[int(mark[1])]), text)

    def _as_text(self, value: object) -> str:
        if isinstance(value, str):
            # Without the ways of its own that a subclass may have.
            return self._text(str.__str__(value))
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            return self._text(json.dumps(value, ensure_ascii=False, default=str))
        return self._text(str(value))

    def _itself(self, value: object) -> Any:
        """Return a value as JSON knows it."""
        if isinstance(value, JsonText):
            return json.loads(value)
        if isinstance(value, Undefined):
            raise ValueError(f"there is no value {value._undefined_name}")
        plain = json.loads(
            json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_plain)
        )
        return self._filled(plain)


def _as_plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
