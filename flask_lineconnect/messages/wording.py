"""What owners write with places for values, ``{{ name }}様``; checked when it is saved.

The language is a small part of Jinja: values, filters of ours, ``if`` and one level of ``for``. No
value has attributes or methods here, whatever it is in Python; what is unknown is refused with its
line and column before anything runs. What comes out: ``drafts.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any
from typing import NoReturn

from jinja2 import StrictUndefined
from jinja2 import Template
from jinja2 import TemplateSyntaxError
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..errors import UsageError
from ..marketing.registry import did_you_mean
from ..marketing.values import ValueType
from .word_filters import FILTERS
from .word_filters import MANNER
from .word_filters import Manner
from .word_filters import MissingValue
from .word_filters import put

#: The longest wording, in characters.
MAX_SOURCE = 20_000
#: The longest text of which nothing is known yet: a name, a product.
_SAMPLE = "あ" * 40

#: What a wording may consist of; names, filters and loops are looked at one by one.
_ALLOWED = (
    *(nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Filter, nodes.If),
    *(nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Add, nodes.Sub, nodes.Neg),
)

Variables = Mapping[str, ValueType]


class InvalidWording(UsageError):
    """A text with places for values can't be used.

    :ivar line: where in the text, from 1.
    :ivar column: where in the line, from 1.
    """

    def __init__(self, message: str, *, line: int, column: int):
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column


# Without globals: there is nothing to call. Nothing of it changes later on.
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    finalize=put, undefined=StrictUndefined, autoescape=False, cache_size=0
)
_ENVIRONMENT.globals = {}
_ENVIRONMENT.tests = {}
_ENVIRONMENT.filters = {name: one.function for name, one in FILTERS.items()}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with places for values.

    :ivar source: as the owner wrote it.
    :ivar names: of the values that it names.
    """

    source: str
    names: tuple[str, ...]
    _template: Template = field(compare=False, repr=False)
    #: What comes out, where it is always the same.
    _fixed: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def read(cls, source: str, variables: Variables) -> Wording:
        """Read what an owner wrote, for values of these names and types.

        :raises InvalidWording: it is no such text, or names what there is not; says where.
        """
        source = "\n".join(source.splitlines())
        if len(source) > MAX_SOURCE:
            raise InvalidWording(f"longer than {MAX_SOURCE} characters", line=1, column=1)
        try:
            tree = _ENVIRONMENT.parse(source)
            _Check(source, dict(variables)).all(tree)
            named = {node.name for node in tree.find_all(nodes.Name)} & set(variables)
            template = _ENVIRONMENT.from_string(source)
            return cls(source, tuple(sorted(named)), template, _fixed_text(tree))
        except TemplateSyntaxError as error:
            line = error.lineno
            column = _column(source, line, ("{{", "{%", "{#"))
            raise InvalidWording(str(error.message), line=line, column=column) from None
        except (RecursionError, MemoryError, SyntaxError):
            raise InvalidWording("nested too deeply", line=1, column=1) from None

    def render(self, values: Mapping[str, Any], manner: Manner) -> str:
        """Put values in their places.

        :raises MissingValue: one that stands in the text is absent; says which are.
        :raises UsageError: values of different types are compared.
        """
        if self._fixed is not None:
            return self._fixed
        known = {name: values.get(name) for name in self.names}
        try:
            return self._template.render({**known, MANNER: manner})
        except MissingValue as error:
            absent = [name for name, value in known.items() if value is None]
            raise MissingValue(", ".join(absent) or error.name) from None
        except TypeError:
            raise UsageError("a text compares or counts values of different types") from None


def _fixed_text(tree: nodes.Template) -> str | None:
    """Return what a text without any place for a value says; ``None`` of all others."""
    parts = [part for one in tree.body if isinstance(one, nodes.Output) for part in one.nodes]
    is_fixed = all(isinstance(one, nodes.Output) for one in tree.body)
    if is_fixed and all(isinstance(part, nodes.TemplateData) for part in parts):
        return "".join(part.data for part in parts if isinstance(part, nodes.TemplateData))
    return None


def longest(variables: Variables, at_hand: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the longest value of each name, to see how long a text can become.

    :param at_hand: values of before; where a name has none, something long of its type.
    """
    found = {name: _long(kind) for name, kind in variables.items()}
    lengths: dict[str, int] = {}
    for values in at_hand:
        for name in found:
            value = values.get(name)
            if value is not None and len(str(value)) > lengths.get(name, -1):
                found[name], lengths[name] = value, len(str(value))
    return found


def _long(kind: ValueType) -> Any:
    samples: Mapping[type, Any] = {
        str: _SAMPLE,
        int: 9_999_999,
        Decimal: Decimal("9999999.99"),
        bool: True,
        date: date(2028, 12, 30),
        datetime: datetime(2028, 12, 30, 12, 30, tzinfo=UTC),
    }
    sample = samples[kind.python]
    return (sample,) * 10 if kind.is_list else sample


class _Check:
    """Looks at each part of a text before it is used."""

    def __init__(self, source: str, variables: dict[str, ValueType], *, in_loop: bool = False):
        self._source = source
        self._variables = variables
        self._in_loop = in_loop

    def all(self, node: nodes.Node) -> None:
        """Look at all parts inside of a part.

        :raises InvalidWording: one can't be used.
        """
        for child in node.iter_child_nodes():
            self._one(child)

    def _one(self, node: nodes.Node) -> None:
        if not isinstance(node, _ALLOWED):
            self._fail(
                node, f"{_said(node)} can't be used here: there are values, filters, if, for"
            )
        if isinstance(node, nodes.For):
            self._loop(node)
            return
        if isinstance(node, nodes.Name):
            self._type_of(node)
        elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
            self._fail(node, "an if without else leaves nothing to write")
        elif isinstance(node, nodes.Filter):
            self._filter(node)
        elif isinstance(node, nodes.Output):
            self._output(node)
        elif isinstance(node, nodes.Add | nodes.Sub | nodes.Neg):
            self._sum(node)
        elif isinstance(node, nodes.Const) and not isinstance(node.value, str | int | bool | None):
            self._fail(node, f"{node.value!r} can't be used here")
        self.all(node)

    def _loop(self, node: nodes.For) -> None:
        kind = self._type_of(node.iter)
        if self._in_loop or node.recursive or not isinstance(node.target, nodes.Name):
            self._fail(node, "a loop goes over one list, with one name, and in no other loop")
        if kind is None or not kind.is_list:
            self._fail(node.iter, "a loop goes over a list, and this is none")
        inside = self._variables | {node.target.name: ValueType(kind.python)}
        check = _Check(self._source, inside, in_loop=True)
        for child in (*node.body, *([node.test] if node.test else [])):
            check._one(child)
        for child in node.else_:
            self._one(child)

    def _output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            kind = self._type_of(child)
            if kind is not None and kind.is_list:
                self._fail(child, "this is a list; write it with |join")
            is_answer = isinstance(child, nodes.Compare | nodes.Not)
            is_sign = isinstance(child, nodes.Const) and not isinstance(child.value, str)
            if is_answer or is_sign or (kind is not None and kind.python is bool):
                self._fail(child, "this is true or false; ask for it with {% if %}")

    def _sum(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            kind = self._type_of(child)
            is_number = kind is not None and not kind.is_list and kind.python in (int, Decimal)
            is_whole = isinstance(child, nodes.Const) and isinstance(child.value, int)
            if not (is_number or is_whole or isinstance(child, nodes.Add | nodes.Sub | nodes.Neg)):
                self._fail(node, "+ and - are for numbers alone")

    def _filter(self, node: nodes.Filter) -> None:
        known = FILTERS.get(node.name)
        if known is None:
            near, there = did_you_mean(node.name, FILTERS), ", ".join(FILTERS)
            self._fail(node, f"there is no filter {node.name!r}{near}; there are {there}")
        if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._fail(node, f"the filter {node.name} is used as value|{node.name}")
        if len(node.args) != known.arguments or not all(
            isinstance(one, nodes.Const) for one in node.args
        ):
            self._fail(node, f"the filter {node.name} takes {known.arguments} written argument(s)")
        if not isinstance(node.node, nodes.Name | nodes.Filter):
            self._fail(node, f"the filter {node.name} stands behind a value, and this is none")
        kind = self._type_of(node.node)
        if kind is not None and not known.takes(kind):
            self._fail(node, f"the filter {node.name} does not take {kind.name}")

    def _type_of(self, node: nodes.Node) -> ValueType | None:
        """Return the type of a part, or ``None`` for one that is like any text."""
        if isinstance(node, nodes.Name):
            if node.name not in self._variables:
                near = did_you_mean(node.name, self._variables)
                there = ", ".join(self._variables) or "none"
                self._fail(node, f"there is no value {node.name!r}{near}; there are {there}")
            return self._variables[node.name]
        if isinstance(node, nodes.Filter) and node.name in FILTERS and node.node is not None:
            kind = self._type_of(node.node)
            return None if kind is None else FILTERS[node.name].gives(kind)
        return None

    def _fail(self, node: nodes.Node, message: str) -> NoReturn:
        column = _column(self._source, node.lineno, _words_of(node))
        raise InvalidWording(message, line=node.lineno, column=column)


def _words_of(node: nodes.Node) -> tuple[str, ...]:
    """Return what a part begins with, or else what stands nearest before it."""
    names = (getattr(node, name, None) for name in ("name", "attr", "value", "key"))
    return (*(name for name in names if isinstance(name, str) and name), "{{", "{%")


def _column(source: str, line: int, words: Iterable[str]) -> int:
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return next((place for word in words if (place := _inside(text, word)) >= 0), 0) + 1


def _inside(text: str, word: str) -> int:
    """Return where a word stands in a line, within its places for values if it has any."""
    if not word[0].isalpha():
        return text.find(word)
    start = min((place for sign in ("{{", "{%") if (place := text.find(sign)) >= 0), default=0)
    return next(iter(_whole(text, word, start)), -1)


def _whole(text: str, word: str, start: int) -> Iterator[int]:
    while (start := text.find(word, start)) >= 0:
        around = text[start - 1 : start] + text[start + len(word) : start + len(word) + 1]
        if not any(sign.isalnum() or sign == "_" for sign in around):
            yield start
        start += len(word)


def _said(node: nodes.Node) -> str:
    names = {
        nodes.Getattr: "an attribute (.)",
        nodes.Getitem: "a place of a list ([])",
        nodes.Call: "a call",
        nodes.Assign: "set",
        nodes.Include: "include",
        nodes.Import: "import",
        nodes.Extends: "extends",
        nodes.Macro: "macro",
        nodes.Test: "is",
    }
    return names.get(type(node), type(node).__name__.lower())
