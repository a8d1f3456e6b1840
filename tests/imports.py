"""Reads who imports whom in a package, imports for type checkers and inside functions included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple


class Floor(NamedTuple):
    """Where a module stands: the line of a table, and the entry on it that names the module."""

    number: int
    entry: str


def floor_of(floors: Sequence[str], module: str) -> Floor:
    """Return where a module stands; the entry that names most of it counts.

    :param floors: lines of entries, a room (``login``) or a part of one (``login.oidc``) each.
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for number, line in enumerate(floors):
            if name in line.split():
                return Floor(number, name)
    raise AssertionError(f"{module} has no floor; add its room to the table")


@dataclass(frozen=True)
class Graph:
    """The imports of a package: for each module those of the same package that it imports."""

    imports: dict[str, set[str]]

    def arrows(self) -> Iterator[tuple[str, str]]:
        """Return who imports whom, one pair at a time."""
        for module, imported in sorted(self.imports.items()):
            yield from ((module, one) for one in sorted(imported))

    def circles(self) -> list[str]:
        """Return the first circle among the modules, if there is one."""
        try:
            TopologicalSorter(self.imports).prepare()
        except CycleError as error:
            return list(error.args[1])
        return []


def read_package(folder: Path, *, apart: str | None = None) -> Graph:
    """Return the imports of the package in a folder.

    :param apart: a folder inside that is left out.
    """
    files = dict(_modules(folder))
    return Graph(
        {
            module: set(_imported(path, module, set(files))) - {module}
            for module, path in files.items()
            if module and module.split(".")[0] != apart
        }
    )


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join(parts).removesuffix("__init__").rstrip("."), path


def _imported(path: Path, module: str, known: set[str]) -> Iterator[str]:
    home = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = [*home[: len(home) - node.level + 1], *filter(None, (node.module or "").split("."))]
        for alias in node.names:
            whole = ".".join([*base, alias.name])
            yield whole if whole in known else ".".join(base)
