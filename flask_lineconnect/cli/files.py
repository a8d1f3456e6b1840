"""Files that commands are given."""

from __future__ import annotations

from typing import Any

import click


class FilePath(click.Path):
    """The path of a file, whatever characters it has."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail(f"{value!r} can't be the name of a file", param, ctx)
