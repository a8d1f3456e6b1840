"""The same small shop three times: with a bare Authlib client, with Flask-Dance, and with LINE."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask
from flask import redirect
from flask import request
from flask import session
from flask_dance.consumer import OAuth2ConsumerBlueprint
from flask_dance.consumer import oauth_authorized
from flask_login import LoginManager
from flask_login import UserMixin
from flask_login import login_required
from flask_login import login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from werkzeug.wrappers import Response

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect.linking import accounts
from flask_lineconnect.models.sqlite import prepare_sqlite
from flask_lineconnect.state import utcnow


def _shop(
    name: str, address: str, line_user_ids: Sequence[str], login_path: str
) -> tuple[Flask, SQLAlchemy, Any]:
    """Return a shop with a member model and one private page, which asks to log in."""

    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Member(UserMixin, Base):
        __tablename__ = "member"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        line_user_id: Mapped[str | None] = mapped_column(unique=True)

    app = Flask(name)
    app.config.update(
        SECRET_KEY="a secret key for benchmarks", TESTING=True, SQLALCHEMY_DATABASE_URI=address
    )
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.login_view = login_path
    login_manager.user_loader(lambda key: db.session.get(Member, int(key)))

    @app.get("/private")
    @login_required
    def private() -> str:
        return "private"

    with app.app_context():
        # The peers' databases are as durable as ours.
        prepare_sqlite(db.engine)
        Base.metadata.create_all(db.engine)
        members = [Member(name="佐藤 さくら", line_user_id=one) for one in line_user_ids]
        db.session.add_all(members)
        db.session.commit()
    return app, db, Member


def _log_in(db: SQLAlchemy, member_model: Any, line_user_id: str) -> None:
    statement = select(member_model).where(member_model.line_user_id == line_user_id)
    login_user(db.session.scalars(statement).one())


def authlib_shop(settings: Mapping[str, str], address: str, line_user_ids: Sequence[str]) -> Flask:
    """Log in with Authlib's Flask client, with PKCE, and ask LINE for the profile."""
    app, db, member_model = _shop("authlib", address, line_user_ids, "/login")
    line = settings["LINECONNECT_EMULATOR_URL"]
    oauth = OAuth(app)
    oauth.register(
        "line",
        client_id=settings["LINECONNECT_LOGIN_CHANNEL_ID"],
        client_secret=settings["LINECONNECT_LOGIN_CHANNEL_SECRET"],
        authorize_url=f"{line}/oauth2/v2.1/authorize",
        access_token_url=f"{line}/oauth2/v2.1/token",
        api_base_url=f"{line}/",
        client_kwargs={
            "scope": "profile",
            "token_endpoint_auth_method": "client_secret_post",
            "code_challenge_method": "S256",
        },
    )

    @app.get("/login")
    def login() -> Response:
        session["next"] = request.args.get("next", "/private")
        answer: Response = oauth.line.authorize_redirect(
            settings["LINECONNECT_BASE_URL"] + "/line/callback"
        )
        return answer

    @app.get("/line/callback")
    def callback() -> Response:
        oauth.line.authorize_access_token()
        profile = oauth.line.get("v2/profile").json()
        _log_in(db, member_model, profile["userId"])
        return redirect(session.pop("next"))

    return app


def dance_shop(settings: Mapping[str, str], address: str, line_user_ids: Sequence[str]) -> Flask:
    """Log in with Flask-Dance's generic blueprint, and ask LINE for the profile."""
    app, db, member_model = _shop("dance", address, line_user_ids, "/line/login")
    line = settings["LINECONNECT_EMULATOR_URL"]
    secret = settings["LINECONNECT_LOGIN_CHANNEL_SECRET"]
    blueprint = OAuth2ConsumerBlueprint(
        "line",
        __name__,
        client_id=settings["LINECONNECT_LOGIN_CHANNEL_ID"],
        client_secret=secret,
        scope="profile",
        base_url=f"{line}/",
        authorization_url=f"{line}/oauth2/v2.1/authorize",
        token_url=f"{line}/oauth2/v2.1/token",
        token_url_params={"include_client_id": True},
        login_url="/login",
        authorized_url="/callback",
        redirect_url="/private",
    )
    app.register_blueprint(blueprint, url_prefix="/line")

    @oauth_authorized.connect_via(blueprint)
    def logged_in(blueprint: OAuth2ConsumerBlueprint, token: dict[str, Any]) -> bool:
        profile = blueprint.session.get("v2/profile").json()
        _log_in(db, member_model, profile["userId"])
        return False

    return app


def line_shop(settings: Mapping[str, str], address: str, line_user_ids: Sequence[str]) -> Flask:
    """Log in with flask-lineconnect, as its quick start shows."""
    app, db, member_model = _shop("line", address, line_user_ids, "/line/login")
    # Here all customers come from one address.
    app.config.update(settings, LINECONNECT_ENGINE="worker", LINECONNECT_RATE_LIMIT="9999/second")

    class Shop(ShopAdapter[Any]):
        model = member_model
        name = "店"

        def sign_up(self, profile: LineProfile) -> Any:
            return member_model(name=profile.display_name)

    LineConnect(app, db=db, shop=Shop())
    with app.app_context():
        db.metadata.create_all(db.engine)
        line, now = app.extensions["lineconnect"], utcnow()
        for member_id, line_user_id in enumerate(line_user_ids, 1):
            account = accounts.ensure_account(db.session(), line_user_id, now=now)
            accounts.link(line, account, member_id, source=None, now=now)
        db.session.commit()
    return app
