"""All practices together: the filled demo has them on, and the documentation shows what runs."""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path

import pytest
from flask import Flask
from sqlalchemy import select

from demo_shop import create_app
from demo_shop import prepare_database
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.line.practices import FILES
from demo_shop.models import Product
from demo_shop.models import User
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.scenarios.declared import Scenarios
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.state import EXTENSION_KEY
from tests.small_shop import SETTINGS

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "how-to" / "practices").glob("*.md"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Return the demo as `make demo` fills it."""
    folder = tmp_path_factory.mktemp("demo")
    uri = f"sqlite:///{folder / 'shop.db'}"
    app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": str(folder)})
    prepare_database(app)
    return app


def test_the_filled_demo_has_them_all_on(demo: Flask) -> None:
    declared = {one.name for one in demo.extensions[EXTENSION_KEY].part(Scenarios)}
    with demo.app_context():
        rows = db.session.execute(select(PublishedScenario.name, PublishedScenario.state)).all()
        assert db.session.scalar(select(Product.id).where(Product.is_trial))
    assert {name for name, _state in rows} == declared
    assert {state for _name, state in rows} == {"running"}


def test_nothing_is_wrong_with_them_by_the_longest_values_at_hand(demo: Flask) -> None:
    with demo.app_context():
        member = db.session.scalars(select(User)).first()
        products = list(db.session.scalars(select(Product.slug)))
        extension.emit("cart.changed", member, subject="cart:1", count=1, products=products)
        db.session.commit()
    result = demo.test_cli_runner().invoke(commands, ["scenario", "check"])
    assert result.exit_code == 0, result.output


def test_filling_it_again_changes_nothing(demo: Flask) -> None:
    prepare_database(demo)
    with demo.app_context():
        assert set(db.session.scalars(select(PublishedScenario.version))) == {1}


def test_the_documentation_shows_what_runs(demo: Flask) -> None:
    running = {
        file: (ROOT / "demo_shop" / "line" / "scenarios" / f"{file}.toml").read_text("utf-8")
        for file in FILES
    }
    shown = 0
    for page in PAGES:
        for file, block in re.findall(
            r"```toml\n# demo_shop/line/scenarios/(\w+)\.toml\n(.*?)```",
            page.read_text("utf-8"),
            re.DOTALL,
        ):
            for table in re.split(r"\n\n(?=\[\w+\]\n)", block.strip()):
                assert table in running[file], f"{page.name}: {table.splitlines()[0]}"
                shown += 1
    assert shown >= len(FILES) - 1


def test_every_practice_is_named_in_the_documentation(demo: Flask) -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    declared = [one.name for one in demo.extensions[EXTENSION_KEY].part(Scenarios)]
    short = text.replace("`…_7_days`", "`points_expiring_in_7_days`")
    assert [
        name for name in declared if f"`{name}`" not in short and f"[{name}]" not in short
    ] == []


def test_every_definition_can_be_reached_and_stands_on_the_site() -> None:
    texts = {page.stem: page.read_text("utf-8") for page in PAGES}
    led_to = re.findall(r"scenarios/(\w+)\.toml\)", "".join(texts.values()))
    assert sorted(led_to) == sorted(FILES)
    pytest.importorskip("sphinx")
    site = run_path(str(ROOT / "docs" / "conf.py"))
    days = site["practice_to_copy"](texts["days"])
    assert {"[birthday]", "[sleeping]", "[fell_asleep]"} <= set(days.splitlines())
    assert '"order.placed"' in site["practice_to_copy"](texts["index"])


def test_every_practice_is_told_in_both_languages(demo: Flask) -> None:
    names = {one.name for one in demo.extensions[EXTENSION_KEY].part(Scenarios)}
    english = "".join(page.read_text("utf-8") for page in PAGES)
    japanese = (ROOT / "docs" / "ja" / "practices.md").read_text("utf-8")
    assert [name for name in names if not re.search(rf"[`\[]{name}[`\]]", english)] == []
    assert [name for name in names if f"`{name}`" not in japanese] == []
