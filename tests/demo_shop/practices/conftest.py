"""One demo shop and one emulator for each module of practices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest

from demo_shop import create_app
from demo_shop.extensions import db
from demo_shop.models import Coupon
from demo_shop.models import Product
from demo_shop.seed import COUPONS
from demo_shop.seed import OCCASIONS
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import ApartClient
from tests.small_shop import SETTINGS

from .stage import BEGIN
from .stage import Stage

BASE_URL = "http://127.0.0.1:5999"


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, line_emulator_server: Emulator
) -> Iterator[Stage]:
    """Return the shop with products and coupons, at ten on a Monday."""
    folder = tmp_path_factory.mktemp("shop")
    line_emulator_server.reset()
    line_emulator_server.set_up(base_url=BASE_URL)
    app = create_app(
        {
            **SETTINGS,
            **line_emulator_server.settings(BASE_URL),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'shop.db'}",
            "PICTURES_FOLDER": str(folder),
            "WTF_CSRF_ENABLED": False,
        }
    )
    app.test_client_class = ApartClient
    made = Stage(app, line_emulator_server)
    made.set_clocks()
    with app.app_context():
        db.metadata.create_all(db.engine)
        _fill()
        yield made
        db.session.remove()
        db.engine.dispose()


def _fill() -> None:
    for number, (slug, name, price, days) in enumerate(
        (
            ("sencha", "煎茶「あさつゆ」80g", 1_296, 30),
            ("hojicha", "ほうじ茶「たきび」100g", 864, None),
            ("kyusu", "急須「常滑」", 5_400, None),
            ("yokan", "本練羊羹", 1_200, None),
            ("otameshi", "お試し 飲みくらべセット", 540, None),
        )
    ):
        product = Product(
            id=number + 1,
            slug=slug,
            name=name,
            category="tea",
            price=price,
            stock=50,
            description="",
            cycle_days=days,
            is_trial=slug == "otameshi",
        )
        db.session.add(product)
    ends_on = BEGIN.astimezone(UTC).date().replace(year=2028)
    coupons = [(code, title, text, None) for code, title, text, _days in COUPONS]
    for code, title, text, occasion in (*coupons, *OCCASIONS):
        coupon = Coupon(code=code, title=title, text=text, ends_on=ends_on, occasion=occasion)
        db.session.add(coupon)
    db.session.commit()


@pytest.fixture
def sencha(stage: Stage) -> Product:
    """Return a tea that lasts thirty days."""
    return db.session.get_one(Product, 1)


@pytest.fixture
def hojicha(stage: Stage) -> Product:
    """Return another tea."""
    return db.session.get_one(Product, 2)


@pytest.fixture
def kyusu(stage: Stage) -> Product:
    """Return a teapot."""
    return db.session.get_one(Product, 3)


@pytest.fixture
def trial(stage: Stage) -> Product:
    """Return a set to try."""
    return db.session.get_one(Product, 5)
