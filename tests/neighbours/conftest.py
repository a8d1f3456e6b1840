"""The small shop behind TLS, joined to the emulator, with whatever stands beside us in it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_lineconnect.testing.plugin import Emulator
from tests import small_shop
from tests.conftest import ApartClient
from tests.small_shop import SETTINGS

from .journey import OpenChat
from .journey import Shop

BASE_URL = "https://shop.example"

#: Makes the shop: settings by name; ``before`` and ``after`` join other extensions.
OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(line_emulator: Emulator, line_chat: OpenChat, tmp_path: Path) -> Iterator[OpenShop]:
    """Return a function that makes the small shop beside other extensions."""
    made: list[Shop] = []

    def open_one(
        base_url: str = BASE_URL,
        *,
        before: tuple[small_shop.Join, ...] = (),
        after: tuple[small_shop.Join, ...] = (),
        **changes: Any,
    ) -> Shop:
        line_emulator.set_up(base_url=base_url)
        settings = {
            **SETTINGS,
            **line_emulator.settings(base_url),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / f'shop{len(made)}.db'}",
            **changes,
        }
        app = small_shop.create_app(settings, before=before, after=after)
        app.test_client_class = ApartClient
        shop = Shop(app=app, line=small_shop.line, emulator=line_emulator, open_chat=line_chat)
        made.append(shop)
        return shop

    yield open_one
    for shop in made:
        with shop.app.app_context():
            small_shop.db.session.remove()
            for engine in small_shop.db.engines.values():
                engine.dispose()
