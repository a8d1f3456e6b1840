"""What the package imports is declared: nothing is there by the luck of another one's needs."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: For type checkers; and what is there when it is needed: pytest's plugin, gevent's workers.
NOT_NEEDED = {"_typeshed", "pytest", "gevent"}


def _declared() -> set[str]:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    extras = dict(config["options.extras_require"])
    texts = [config["options"]["install_requires"]]
    texts += [
        extras[name] for name in ("receipt", "celery", "metrics", "results", "richmenu", "sink")
    ]
    lines = (line for text in texts for line in text.split("\n") if line)
    return {_plain(re.split(r"[\s\[<>=]", line, maxsplit=1)[0]) for line in lines}


def _imported() -> Iterator[str]:
    for path in (ROOT / "flask_lineconnect").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_what_is_imported_is_declared() -> None:
    names = set(_imported()) - set(sys.stdlib_module_names) - NOT_NEEDED - {"flask_lineconnect"}
    makers = packages_distributions()
    declared = _declared()
    luck = {name for name in names if not declared & set(map(_plain, makers.get(name, ())))}
    assert luck == set()
