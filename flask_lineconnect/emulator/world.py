"""The platform's data: its channels, their users, and all that happened.

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
    #: Channels of different providers know the same person by different user ids.
    provider: str = "komorebi"
    secret: str = "0123456789abcdef0123456789abcdef"
    name: str = "こもれび堂"
    callback_urls: list[str] = []
    #: Whether the official account is linked, which `bot_prompt` and friendship status need.
    is_bot_linked: bool = True
    #: Whether LINE granted the e-mail permission, without which the scope is refused.
    may_ask_for_email: bool = True
    status: Literal["developing", "published"] = "published"
    #: User ids that may log in while the channel is developing.
    testers: list[str] = []
    #: Public RSA keys of JWT assertions, as JWKs by their ``kid``.
    assertion_keys: dict[str, dict[str, str]] = {}


class MessagingChannel(BaseModel):
    """A Messaging API channel and its official account."""

    id: str = "1650000002"
    provider: str = "komorebi"
    secret: str = "fedcba9876543210fedcba9876543210"
    #: Public RSA keys of JWT assertions, as JWKs by their ``kid``.
    assertion_keys: dict[str, dict[str, str]] = {}
    #: Whether LINE verified the account, which lists of followers need.
    is_verified: bool = False
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
    #: How much of LINE's rate limits applies: 0.001 of them makes 2 pushes a second. ``None`` is
    #: none of them.
    rate_limit_scale: float | None = Field(default=1.0, gt=0)
    #: Seconds in which a narrowcast waits, and in which it is sent then; LINE tells neither.
    narrowcast_seconds: float = Field(default=1.0, ge=0)
    #: Seconds until an audience is ready.
    audience_seconds: float = Field(default=1.0, ge=0)
    #: LINE's minimums for privacy: friends whom filters must reach, recipients of a narrowcast
    #: and members of an audience, and people below whom a figure is not told.
    minimum_reach: int = 100
    minimum_recipients: int = 50
    minimum_figure: int = 20
    #: Whether a multicast to an unknown user is refused; the reference says both.
    refuses_foreign_multicast: bool = False
    default_rich_menu_id: str | None = None
    #: Whether staff answer by hand too: LINE's "chat" switch.
    chat_mode: Literal["bot", "chat"] = "bot"
    #: Whether LINE's own greeting and auto-reply are on, which speak beside a shop's hooks.
    has_greeting: bool = False
    has_auto_reply: bool = False
    #: What LINE's own tools send on each day, by insight's names: ``{"autoResponse": 12}``.
    sent_by_tools: dict[str, int] = {}


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
    #: Whether the page may share messages with people whom the user picks.
    has_share_target_picker: bool = False
    #: Whether the app is a verified MINI App that may ask for common profiles.
    has_quick_fill: bool = False
    #: Whether closing the app's window revokes the page's access token; LINE says that it may.
    revokes_on_close: bool = True


class User(BaseModel):
    """A LINE user, as this provider sees them."""

    user_id: str = Field(default_factory=make_user_id)
    display_name: str
    picture_url: str | None = None
    status_message: str | None = None
    email: str | None = None
    #: What Quick-fill gives, for example ``{"family-name": "佐藤", "bday-year": 1990}``.
    common_profile: dict[str, str | int] = {}
    language: str = "ja"
    #: What narrowcasts filter by: ``male`` or ``female``, ``age_20``, ``jp_13``, ``ios``.
    gender: Literal["male", "female"] | None = None
    age: str | None = None
    area: str | None = None
    app_type: Literal["ios", "android"] | None = None
    relation: Relation = "none"
    befriended_at: datetime | None = None
    #: Scopes that the user granted to the login channel; empty before the first consent.
    granted: list[str] = []
    last_authenticated_at: datetime | None = None
    rich_menu_id: str | None = None
    #: The rich menu that a tap in the chat switched to; the linked one stays what it was.
    switched_menu_id: str | None = None
    #: Until when the chat shows that an answer is on its way.
    loading_until: datetime | None = None
    last_wrote_at: datetime | None = None
    unread: int = 0


class ChatEntry(BaseModel):
    """One message in the chat between a user and the official account."""

    id: str
    sender: Literal["user", "bot"]
    message: dict[str, Any]
    at: datetime
    #: The request that sent it, for statistics, and its place in that request.
    request_id: str | None = None
    seq: int = 0


class Content(BaseModel):
    """A medium that a user sent; bots download it for a while."""

    type: str
    kind: Literal["image", "video", "audio", "file"]
    base64: str
    #: Whether the user took the message back.
    is_gone: bool = False


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
    liff_id: str | None = None


class ChannelToken(BaseModel):
    """A channel access token of any kind."""

    access_token: str
    channel_id: str
    kind: Literal["long-lived", "short-lived", "v2.1", "stateless"]
    issued_at: datetime
    expires_at: datetime | None = None
    is_revoked: bool = False
    #: Names a token of kind v2.1 without telling it.
    key_id: str | None = None


class ReplyToken(BaseModel):
    """A reply token; single use, about a minute."""

    token: str
    #: A user, or a group or room in which the bot was spoken to.
    chat_id: str
    event_at: datetime
    #: Of the event, or of its last redelivery.
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


class SentRequest(BaseModel):
    """What was sent with one request, and what people did with it."""

    request_id: str
    kind: Literal["reply", "push", "multicast", "narrowcast", "broadcast"]
    at: datetime
    messages: list[dict[str, Any]]
    unit: str | None = None
    recipients: list[str] = []
    #: Who saw a message, by its place in the request.
    seen: dict[int, list[str]] = {}
    #: Who opened an address, as often as they did.
    clicks: dict[str, list[str]] = {}


class Narrowcast(BaseModel):
    """A narrowcast: accepted, waiting, sent."""

    request_id: str
    accepted_at: datetime
    body: dict[str, Any]
    #: What it may cost at most, held back from other deliveries meanwhile.
    reserved: int
    targets: list[str] = []
    starts_at: datetime
    completes_at: datetime
    is_sent: bool = False
    error_code: int | None = None


class AudienceJob(BaseModel):
    """One upload into an audience."""

    id: int
    description: str
    added: int
    at: datetime


class Audience(BaseModel):
    """An audience: users who were uploaded, or who saw or clicked a message."""

    id: int
    type: Literal["UPLOAD", "CLICK", "IMP"]
    description: str
    created_at: datetime
    changed_at: datetime
    user_ids: list[str] = []
    jobs: list[AudienceJob] = []
    is_ifa: bool = False
    request_id: str | None = None
    click_url: str | None = None


class RichMenuBatch(BaseModel):
    """A batch of rich menu operations that was accepted."""

    request_id: str
    accepted_at: datetime
    resume_key: str | None = None


class SigningKey(BaseModel):
    """A private ES256 key, as a JWK, and until when its public half is told."""

    jwk: dict[str, str]
    removed_at: datetime | None = None


class World(BaseModel):
    """All of the platform's data."""

    login_channel: LoginChannel = Field(default_factory=LoginChannel)
    messaging_channel: MessagingChannel = Field(default_factory=MessagingChannel)
    liff_apps: dict[str, LiffApp] = {}
    users: dict[str, User] = {}
    chats: dict[str, list[ChatEntry]] = {}
    #: By message id.
    contents: dict[str, Content] = {}
    rich_menus: dict[str, RichMenu] = {}
    rich_menu_aliases: dict[str, str] = {}
    codes: dict[str, AuthorizationCode] = {}
    login_tokens: dict[str, LoginToken] = {}
    channel_tokens: dict[str, ChannelToken] = {}
    reply_tokens: dict[str, ReplyToken] = {}
    link_tokens: dict[str, LinkToken] = {}
    accepted_requests: dict[str, AcceptedRequest] = {}
    #: By request id.
    sent_requests: dict[str, SentRequest] = {}
    narrowcasts: dict[str, Narrowcast] = {}
    rich_menu_batches: dict[str, RichMenuBatch] = {}
    audiences: dict[int, Audience] = {}
    last_audience_id: int = 1_234_567_890_122
    #: Messages counted to the quota, by month such as ``2026-08``.
    usage: dict[str, int] = {}
    last_message_id: int = 461230966842064896
    #: The keys of LIFF ID tokens; the last one signs.
    signing_keys: list[SigningKey] = []


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


def fresh_world() -> World:
    """Return a world with two channels as LINE makes them, of which nobody told it a shop."""
    world = default_world()
    world.liff_apps.clear()
    login, messaging = world.login_channel, world.messaging_channel
    login.status, login.is_bot_linked, login.may_ask_for_email = "developing", False, False
    messaging.use_webhook, messaging.has_greeting, messaging.has_auto_reply = False, True, True
    return world
