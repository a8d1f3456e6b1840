"""The platform's data: one provider, its channels, its users, and all that happened.

Everything that must outlive a restart is in :class:`World`, a pydantic model, so that a snapshot is
its JSON. Behaviour lives in the modules beside this one, one per API of LINE's.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from typing import Literal

from pydantic import BaseModel
from pydantic import Field

Relation = Literal["none", "friend", "blocked"]


def make_user_id() -> str:
    """Return a user id of LINE's form."""
    return "U" + secrets.token_hex(16)


class LoginChannel(BaseModel):
    """A LINE Login channel."""

    id: str = "1650000001"
    secret: str = "0123456789abcdef0123456789abcdef"
    name: str = "こもれび堂"
    callback_urls: list[str] = []
    #: Whether the official account is linked, which `bot_prompt` and friendship status need.
    is_bot_linked: bool = True
    status: Literal["developing", "published"] = "published"
    #: User ids that may log in while the channel is developing.
    testers: list[str] = []


class MessagingChannel(BaseModel):
    """A Messaging API channel and its official account."""

    id: str = "1650000002"
    secret: str = "fedcba9876543210fedcba9876543210"
    bot_user_id: str = "U8e742f61d673b39c7fff3cecb7536ef0"
    basic_id: str = "@demoshop"
    display_name: str = "こもれび堂"
    picture_url: str = "/static/avatars/shop.svg"
    webhook_url: str | None = None
    use_webhook: bool = True
    #: Whether webhooks that were not answered 2xx are sent again.
    redelivery: bool = False
    #: Count of redeliveries, and seconds before each; LINE discloses neither.
    redelivery_count: int = 3
    redelivery_seconds: float = 1.0
    #: Messages that may be sent each month; ``None`` is a plan without a limit.
    quota: int | None = 30_000
    #: Whether a multicast to an unknown user is refused; the reference says both.
    refuses_foreign_multicast: bool = False
    default_rich_menu_id: str | None = None


class LiffApp(BaseModel):
    """A LIFF app of the login channel."""

    liff_id: str = "1650000001-DemoCard"
    endpoint_url: str = ""
    view_type: Literal["compact", "tall", "full"] = "full"
    description: str = "ポイントカード"
    scope: list[str] = ["openid", "profile", "email"]
    bot_prompt: Literal["none", "normal", "aggressive"] = "aggressive"
    #: Whether the action button of a full-size view is hidden.
    is_module_mode: bool = False
    #: Whether the page may use the scanner.
    has_qr_code: bool = False


class User(BaseModel):
    """A LINE user, as this provider sees them."""

    user_id: str = Field(default_factory=make_user_id)
    display_name: str
    picture_url: str | None = None
    status_message: str | None = None
    email: str | None = None
    language: str = "ja"
    relation: Relation = "none"
    #: Scopes that the user granted to the login channel; empty before the first consent.
    granted: list[str] = []
    last_authenticated_at: datetime | None = None
    rich_menu_id: str | None = None
    last_wrote_at: datetime | None = None
    unread: int = 0


class ChatEntry(BaseModel):
    """One message in the chat between a user and the official account."""

    id: str
    sender: Literal["user", "bot"]
    message: dict[str, Any]
    at: datetime


class RichMenu(BaseModel):
    """A rich menu; its image is kept beside, base64 in the snapshot."""

    rich_menu_id: str
    definition: dict[str, Any]
    image_base64: str | None = None
    image_type: str | None = None


class AuthorizationCode(BaseModel):
    """A code of the authorize redirect; single use, ten minutes."""

    code: str
    client_id: str
    redirect_uri: str
    user_id: str
    scope: list[str]
    issued_at: datetime
    nonce: str | None = None
    code_challenge: str | None = None
    max_age: int | None = None
    amr: list[str] = []
    liff_id: str | None = None
    is_email_granted: bool = False


class LoginToken(BaseModel):
    """An access token of a user's login, with its refresh token."""

    access_token: str
    refresh_token: str
    client_id: str
    user_id: str
    scope: list[str]
    issued_at: datetime
    expires_at: datetime
    refresh_expires_at: datetime
    is_revoked: bool = False
    #: Whether the LIFF page that holds it was opened from a chat, so that it can write there.
    is_in_chat: bool = False


class ChannelToken(BaseModel):
    """A channel access token of any kind."""

    access_token: str
    channel_id: str
    kind: Literal["long-lived", "short-lived", "v2.1", "stateless"]
    issued_at: datetime
    expires_at: datetime | None = None
    is_revoked: bool = False


class ReplyToken(BaseModel):
    """A reply token; single use, about a minute."""

    token: str
    user_id: str
    issued_at: datetime
    is_used: bool = False


class LinkToken(BaseModel):
    """A token for linking inside the chat; single use, ten minutes."""

    token: str
    user_id: str
    issued_at: datetime


class AcceptedRequest(BaseModel):
    """What LINE remembers of an accepted retry key for a day."""

    retry_key: str
    request_id: str
    accepted_at: datetime
    sent_messages: list[dict[str, str]] = []


class World(BaseModel):
    """All of the platform's data."""

    login_channel: LoginChannel = Field(default_factory=LoginChannel)
    messaging_channel: MessagingChannel = Field(default_factory=MessagingChannel)
    liff_apps: dict[str, LiffApp] = {}
    users: dict[str, User] = {}
    chats: dict[str, list[ChatEntry]] = {}
    rich_menus: dict[str, RichMenu] = {}
    rich_menu_aliases: dict[str, str] = {}
    codes: dict[str, AuthorizationCode] = {}
    login_tokens: dict[str, LoginToken] = {}
    channel_tokens: dict[str, ChannelToken] = {}
    reply_tokens: dict[str, ReplyToken] = {}
    link_tokens: dict[str, LinkToken] = {}
    accepted_requests: dict[str, AcceptedRequest] = {}
    #: Messages counted to the quota, by month such as ``2026-08``.
    usage: dict[str, int] = {}
    last_message_id: int = 461230966842064896
    #: The private ES256 key of LIFF ID tokens, as a JWK.
    signing_key: dict[str, str] | None = None


USERS = (
    ("佐藤 さくら", "sakura@example.com"),
    ("鈴木 健太", "kenta@example.com"),
    ("高橋 陽子", "yoko@example.com"),
    ("Emma Wilson", None),
)


def default_world() -> World:
    """Return the world that a fresh emulator starts with."""
    world = World()
    app = LiffApp()
    world.liff_apps[app.liff_id] = app
    for number, (name, email) in enumerate(USERS, start=1):
        user = User(
            # The same ids at each start, so that pictures and notes stay true.
            user_id=f"U{number:032x}",
            display_name=name,
            email=email,
            picture_url=f"/static/avatars/user-{number}.svg",
            language="en" if email is None else "ja",
        )
        world.users[user.user_id] = user
    return world
