"""Segments that the shop declares in code: named queries, and rules."""

from __future__ import annotations

import inspect
import tomllib
import typing
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from typing import TypeAlias

from sqlalchemy import Select

from ...errors import UsageError
from ...i18n import gettext as _
from ..registry import Registry
from ..values import ValueType
from .attributes import NAME
from .errors import InvalidRule
from .operators import read_value
from .rules import Rule
from .rules import read_rule

#: A select of member keys; what a named query returns.
MemberQuery: TypeAlias = Select[Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a named query, which the owner may change."""

    type: ValueType
    default: Any


@dataclass(frozen=True, slots=True)
class DeclaredSegment:
    """A segment in code.

    :ivar query: given the time now and the arguments, returns the keys of the members.
    :ivar rule: instead of a query.
    """

    name: str
    label: Any
    home: str
    query: Callable[..., MemberQuery] | None = None
    parameters: Mapping[str, Parameter] | None = None
    rule: Rule | None = None

    @classmethod
    def of_query(
        cls, name: str, label: Any, query: Callable[..., MemberQuery], *, home: str
    ) -> DeclaredSegment:
        """Make a segment of a function ``(now, days=60)``; its arguments have types and defaults.

        :raises UsageError: it can't be called so, or an argument has no type or no default.
        """
        _check_name(name)
        return cls(name, label, home, query, _parameters_of(name, query))

    @classmethod
    def of_rule(cls, name: str, label: Any, rule: Rule, *, home: str) -> DeclaredSegment:
        """Make a segment of a rule.

        :raises UsageError: it can't be called so.
        """
        _check_name(name)
        return cls(name, label, home, rule=rule)

    def call(self, now: datetime, arguments: Mapping[str, Any], place: str) -> MemberQuery:
        """Return the members whom a query chooses.

        :param arguments: as JSON writes them.
        :raises InvalidRule: an argument is unknown, or of another type.
        """
        assert self.query is not None
        parameters = self.parameters or {}
        values = {}
        for name, written in arguments.items():
            if name not in parameters:
                raise InvalidRule(
                    _("「%(name)s」という指定はありません。", name=name), place=f"{place}.with"
                )
            try:
                values[name] = read_value(parameters[name].type, written)
            except ValueError as error:
                raise InvalidRule(f"「{name}」{error}", place=f"{place}.with") from None
        found = self.query(now, **values)
        if not isinstance(found, Select):
            raise UsageError(f"the segment {self.name} must return a select of member keys")
        return found


class DeclaredSegments(Registry[DeclaredSegment]):
    """The segments that one app's blueprints declare."""

    called = "segment"

    def __iter__(self) -> Iterator[DeclaredSegment]:
        """Return all of them, in the order in which they were written."""
        return iter(self._by_name.values())


def segments_of_file(path: Path, *, home: str) -> Iterator[DeclaredSegment]:
    """Return the segments of a TOML file.

    :raises UsageError: it is none, or a rule can't be read.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the segments in {path.name} can't be read: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict) or not isinstance(table.get("label"), str):
            raise UsageError(f"the segment {name} in {path.name} needs a label and a rule")
        rule = {word: said for word, said in table.items() if word != "label"}
        try:
            yield DeclaredSegment.of_rule(name, table["label"], read_rule(rule), home=home)
        except InvalidRule as error:
            raise UsageError(f"the segment {name} in {path.name}: {error}") from None


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't be the name of a segment: it must be of small letters, digits and "
            "underscores, at most 60"
        )


def _parameters_of(name: str, query: Callable[..., Any]) -> Mapping[str, Parameter]:
    _now, *others = inspect.signature(query).parameters.values()
    hints = typing.get_type_hints(query) if others else {}
    found = {}
    for one in others:
        if one.default is one.empty or one.name not in hints:
            raise UsageError(
                f"the argument {one.name} of the segment {name} needs a type and a default, as in "
                f"{one.name}: int = 60"
            )
        try:
            found[one.name] = Parameter(ValueType.of(hints[one.name]), one.default)
        except UsageError as error:
            raise UsageError(f"the argument {one.name} of the segment {name}: {error}") from None
    return found
