"""What the benchmark of clicks serves: the extension, and a bare Flask view with one INSERT."""

from __future__ import annotations

import os
from datetime import UTC
from datetime import datetime

from flask import Flask
from flask import redirect
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from werkzeug.wrappers import Response

from flask_lineconnect.models.sqlite import prepare_sqlite
from tests.small_shop import SETTINGS
from tests.small_shop import create_app

TARGET = "https://shop.example/sale"


def bare() -> Flask:
    """Write one row with what a click is made of, and lead on."""

    class Base(DeclarativeBase):
        pass

    class Click(Base):
        __tablename__ = "click"

        id: Mapped[int] = mapped_column(
            BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
        )
        code: Mapped[str] = mapped_column(String(60), index=True)
        clicked_at: Mapped[datetime] = mapped_column(index=True)

    app, db = Flask(__name__), SQLAlchemy(model_class=Base)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["BENCH_DATABASE"]
    db.init_app(app)
    with app.app_context():
        # As durable as the other one.
        prepare_sqlite(db.engine)
        db.create_all()
        db.engine.dispose()

    @app.get("/line/l/<code>")
    def click(code: str) -> Response:
        now = datetime.now(UTC).replace(tzinfo=None)
        db.session.execute(insert(Click).values(code=code, clicked_at=now))
        db.session.commit()
        return redirect(TARGET)

    return app


def extension() -> Flask:
    """Lead on by tracked links, in the shop of the tests."""
    return create_app(
        {
            **SETTINGS,
            "TESTING": False,
            "SQLALCHEMY_DATABASE_URI": os.environ["BENCH_DATABASE"],
            # All clicks come from one address.
            "LINECONNECT_RATE_LIMIT": "100000000/minute",
            # What follows from clicks afterwards is not what is measured.
            "LINECONNECT_ENGINE": "worker",
        }
    )


SHOPS = {"bare": bare, "shared": extension, "personal": extension}
if "BENCH_APP" in os.environ:
    application = SHOPS[os.environ["BENCH_APP"]]()
