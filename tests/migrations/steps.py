"""Steps of ``flask db``, in a process for each shop: what Alembic does to logging stays there."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

from flask import Flask
from sqlalchemy import inspect

from . import shop
from .shop import Kind
from .shop import create_app
from .shop import join_migrate

#: Where all is imported once, and each shop's process begins from there.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])
#: Seconds for all steps of a shop.
PATIENCE = 300


def take(kind: Kind, *steps: str) -> str:
    """Take steps with a shop; return what they said.

    Each is a command of ``flask db``, or ``tables``, which counts our tables, or ``import``, which
    lets migrations know the shop's own types, as shops with such types do.
    """
    code, said = try_to_take(kind, *steps)
    assert code == 0, said
    return said


def try_to_take(kind: Kind, *steps: str) -> tuple[int | None, str]:
    """Take steps until one fails; return that one's exit code, and what they said."""
    with tempfile.NamedTemporaryFile() as file:
        process = _processes.Process(target=_take_all, args=(kind, steps, file.name))
        process.start()
        process.join(PATIENCE)
        process.kill()
        process.join()
        return process.exitcode, Path(file.name).read_text("utf-8")


def _take_all(kind: Kind, steps: tuple[str, ...], path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    app = create_app(kind)
    for step in steps:
        _take_one(app, kind, step)
        sys.stdout.flush()


def _take_one(app: Flask, kind: Kind, step: str) -> None:
    if step == "tables":
        print("ours:", _count_tables(app, kind))
        return
    if step == "import":
        template = Path(kind.folder, "script.py.mako")
        text = template.read_text("utf-8")
        own = f"import sqlalchemy as sa\nimport {shop.__name__}"
        template.write_text(text.replace("import sqlalchemy as sa", own), "utf-8")
        return
    join_migrate(app, kind)
    result = app.test_cli_runner().invoke(args=["db", *step.split()], catch_exceptions=False)
    print(step, "->", result.exit_code, result.output)
    if result.exit_code:
        sys.exit(result.exit_code)


def _count_tables(app: Flask, kind: Kind) -> int:
    """Return how many of our tables there are."""
    with app.app_context():
        names = inspect(app.extensions["sqlalchemy"].engine).get_table_names(schema=kind.schema)
    return sum(name.startswith("lineconnect_") for name in names)
