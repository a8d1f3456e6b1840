"""A file of settings for the environment, such as ``.env``: read, and changed line by line.

Flask reads it by itself where python-dotenv is installed; systemd and containers do, too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError

#: What Flask's ``from_prefixed_env`` looks for.
PREFIX = "FLASK_"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
#: What every reader of such files takes as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def read_env(file: Path) -> dict[str, str]:
    """Return the file's values by their names without ``FLASK_``; none where there is no file.

    :raises ConfigError: the file can't be read.
    """
    found = (_LINE.fullmatch(line) for line in _lines(file))
    return {
        match[1].removeprefix(PREFIX): _unquoted(match[2])
        for match in found
        if match is not None and match[1].startswith(PREFIX)
    }


def write_env(file: Path, values: Mapping[str, str]) -> None:
    """Set values, by their names without ``FLASK_``; every other line stays as it is.

    A new file is for its owner's eyes alone, because it holds secrets.

    :raises ConfigError: the file can't be written.
    """
    left = dict(values)
    lines = []
    for line in _lines(file):
        match = _LINE.fullmatch(line)
        name = "" if match is None else match[1].removeprefix(PREFIX)
        is_ours = match is not None and match[1].startswith(PREFIX) and name in values
        if not is_ours:
            lines.append(line)
        elif name in left:
            lines.append(_written(name, left.pop(name)))
    lines += [_written(name, value) for name, value in left.items()]
    try:
        # A link stays one.
        file = file.resolve()
        fresh = file.with_name(f"{file.name}.new")
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        # Whole or not at all; nobody else may read it while it is written.
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write("\n".join(lines) + "\n")
        fresh.chmod(mode)
        fresh.replace(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} can't be written: {_reason(error)}") from None


def for_environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return values as Flask wants them in the environment, by their names there."""
    return {
        PREFIX + name: json.dumps(value) if _needs_json(name, value) else value
        for name, value in values.items()
    }


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines() if file.exists() else []
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} can't be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is no text file of this name"


def _written(name: str, value: str) -> str:
    return f"{PREFIX}{name}={_quoted(value) if _needs_json(name, value) else _shell(value)}"


def _needs_json(name: str, value: str) -> bool:
    """Tell whether Flask, which reads values as JSON, would take a text for something else."""
    if name == "DEBUG" or name.endswith("_ID"):
        return False  # numbers are taken
    try:
        return not isinstance(json.loads(value), str)
    except ValueError:
        return False


def _quoted(value: str) -> str:
    return f"'{json.dumps(value)}'"


def _shell(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" in value or not value.isprintable():
        raise ConfigError("a setting has a quotation mark or a line break, which no file can hold")
    return f"'{value}'"


def _unquoted(value: str) -> str:
    text = value
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text
