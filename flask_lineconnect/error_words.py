"""What may be told of an error of the shop's code: what it was, and where; no word of a person's.

What a hook raises often quotes what it could not use: ``int("090…")`` does, and so do the errors of
databases and of LINE's SDK. So its words are told only if they stand in the code as they are told.
"""

from __future__ import annotations

import json
import re
import sysconfig
import traceback
from collections.abc import Collection
from collections.abc import Iterator
from types import CodeType

from .errors import LineConnectError

#: Instead of words that may be a person's.
LEFT_OUT = "its words are left out, they may be a person's"
#: LINE's ids, e-mail addresses, telephone and card numbers.
_OF_PEOPLE = re.compile(
    r"\b[UCR][0-9a-f]{32}\b|[^\s@、。，,;:<>()]+@[^\s@、。，,;:<>()]+|\+?\d[\d\- ]{5,}\d"
)
#: What is so short stands in words by chance.
_SHORTEST = 2
#: As many characters of a text, quoted, tell of it.
_PIECE = 4
_PACKAGE = f"{__package__}."
#: Words of LINE's, which say what kind of a thing an event or a message is.
_OF_LINE = {"type", "mode"}
#: Errors of one log line; a loop of tries may chain them without end.
_MOST_CAUSES = 20
#: Where the shop's own code is not.
_LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "site-packages")


def said_of(error: BaseException, payload: str = "") -> str:
    """Say what an error was, and where it was raised, fit for a log and for a row.

    :param payload: the JSON of the webhook event it came of, of which nothing is told.
    """
    words = _words(error, _texts_in(payload))
    place = _place(error)
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"{said} ({place})" if place else said


def for_log(error: BaseException, payload: str = "") -> BaseException:
    """Return what stands for an error in a log: of the same name, with the same traceback.

    Its words, its notes and those of its causes are told under the same conditions.
    """
    return _stand_in(error, _texts_in(payload), {})


class _StandIn(Exception):
    """Looks like the error in whose place it stands."""


def _stand_in(
    error: BaseException, heard: Collection[str], known: dict[int, BaseException]
) -> BaseException:
    if id(error) in known or len(known) >= _MOST_CAUSES:
        return known.get(id(error), _StandIn(LEFT_OUT))
    # A group may be the context of one of its own.
    known[id(error)] = _StandIn(LEFT_OUT)
    made = known[id(error)] = _alike(error, heard, known)
    for name in ("__cause__", "__context__"):
        before = getattr(error, name)
        setattr(made, name, before and _stand_in(before, heard, known))
    made.__suppress_context__ = error.__suppress_context__
    return made.with_traceback(error.__traceback__)


def _alike(
    error: BaseException, heard: Collection[str], known: dict[int, BaseException]
) -> BaseException:
    if isinstance(error, BaseExceptionGroup):
        return BaseExceptionGroup(
            LEFT_OUT, [_stand_in(one, heard, known) for one in error.exceptions]
        )
    kind, words = type(error), _words(error, heard) or LEFT_OUT
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    stand_in: type[BaseException] = type(kind.__name__, (_StandIn,), names)
    return stand_in(words) if error.args else stand_in()


def _words(error: BaseException, heard: Collection[str]) -> str:
    """Return an error's own words, or nothing where they may be a person's."""
    try:
        words = str(error)
    except BaseException:  # the shop's code, too
        return ""
    if not _is_ours(error) and words not in _constants(error):
        return ""
    if any(piece in words for text in heard for piece in _pieces(text)):
        return ""
    return _OF_PEOPLE.sub("…", words)


def _is_ours(error: BaseException) -> bool:
    """Tell whether the words are ours, which quote nobody, or of a statement of ours."""
    if not isinstance(error, LineConnectError):
        return bool(getattr(error, "hide_parameters", False))
    *_outer, (frame, _line) = [(None, 0), *traceback.walk_tb(error.__traceback__)]
    return frame is not None and str(frame.f_globals.get("__name__")).startswith(_PACKAGE)


def _pieces(text: str) -> Iterator[str]:
    if len(text) < _PIECE:
        yield text
    yield from (text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1))


def _constants(error: BaseException) -> set[str]:
    """Return the texts that stand in the code which raised an error."""
    frames = traceback.walk_tb(error.__traceback__)
    return {text for frame, _line in frames for text in _texts_of(frame.f_code)}


def _texts_of(code: CodeType) -> Iterator[str]:
    return (one for one in code.co_consts if isinstance(one, str))


def _place(error: BaseException) -> str:
    """Return the innermost place of the shop's code, or of any."""
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [one for one in frames if not _is_in_library(one[0].f_code)]
    for frame, line in (own or frames)[-1:]:
        return f"{frame.f_globals.get('__name__', '?')}:{line} in {frame.f_code.co_name}"
    return ""


def _is_in_library(code: CodeType) -> bool:
    return any(folder in code.co_filename for folder in _LIBRARIES)


def _texts_in(payload: str) -> set[str]:
    """Return all texts of an event, whatever they are."""
    try:
        waiting = [json.loads(payload)] if payload else []
    except (ValueError, RecursionError):
        return set()
    found: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [one for key, one in value.items() if key not in _OF_LINE]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) >= _SHORTEST:
            found.add(value)
    return found
