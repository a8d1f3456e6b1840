"""What the README says is so: its code runs, and its numbers are counted."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from tests.small_shop import SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def _code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code: no blanks, comments or docstrings."""
    tree = ast.parse(source)
    lines = {
        number
        for number, text in enumerate(source.splitlines(), start=1)
        if text.strip() and not text.strip().startswith("#")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


def _lines_for_line() -> int:
    """Count the demo shop's Python lines for LINE: its folder, and the marked lines elsewhere."""
    own = sum(
        len(_code_lines(path.read_text("utf-8")))
        for path in (ROOT / "demo_shop" / "line").glob("*.py")
    )
    factory = (ROOT / "demo_shop" / "__init__.py").read_text("utf-8")
    return own + factory.count("# LINE\n")


def _template_lines() -> int:
    """Count the lines of the shop's page templates that use the extension's macros."""
    pages = (ROOT / "demo_shop" / "templates").rglob("*.html")
    ours = re.compile(r"lineconnect|line_login|line_link|store_qr")
    return sum(
        bool(ours.search(line)) for page in pages for line in page.read_text("utf-8").splitlines()
    )


def test_the_readme_counts_the_demos_lines() -> None:
    told = re.search(r"\*\*(\d+) lines of Python\*\*, (\d+) lines\s+in its page templates", README)
    assert told
    assert (int(told[1]), int(told[2])) == (_lines_for_line(), _template_lines())


def test_the_quick_start_is_ten_lines_and_runs(tmp_path: Path) -> None:
    code = re.search(r"<!-- quick start -->\n```python\n(.*?)```", README, re.DOTALL)
    assert code
    assert len(_code_lines(code[1])) <= 10
    app = Flask("your_shop")
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'shop.db'}")
    names = _an_existing_shop(app)
    exec(compile(code[1], "README.md", "exec"), names)
    with app.app_context():
        names["db"].create_all()
        assert app.test_client().get("/line/login").status_code == 302
        names["db"].engine.dispose()


def _an_existing_shop(app: Flask) -> dict[str, Any]:
    """Return what the quick start expects to be there: app, db, and the member model."""

    class Base(DeclarativeBase):
        pass

    class User(UserMixin, Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        email: Mapped[str | None] = mapped_column(unique=True)

    db = SQLAlchemy(model_class=Base)
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: db.session.get(User, int(key)))
    return {"app": app, "db": db, "User": User, "__name__": "your_shop"}


@pytest.mark.parametrize("command", ["make demo", "make test", "make demo-reset"])
def test_the_readmes_commands_exist(command: str) -> None:
    assert f"`{command}`" in README or f"\n{command}\n" in README
    assert f"\n{command.split()[1]}:" in (ROOT / "Makefile").read_text("utf-8")
