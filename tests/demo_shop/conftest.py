"""The demo shop on a database of the test's own, without a LINE to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_shop import create_app
from demo_shop.extensions import db
from tests.conftest import ApartClient
from tests.small_shop import SETTINGS


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the pictures."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def app(tmp_path: Path, pictures: Path) -> Iterator[Flask]:
    """Return the shop with empty tables."""
    uri = f"sqlite:///{tmp_path / 'shop.db'}"
    app = create_app(
        {
            **SETTINGS,
            "SQLALCHEMY_DATABASE_URI": uri,
            "PICTURES_FOLDER": str(pictures),
            "WTF_CSRF_ENABLED": False,
        }
    )
    with app.app_context():
        db.metadata.create_all(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser."""
    app.test_client_class = ApartClient
    return app.test_client()
