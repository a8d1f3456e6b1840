"""flask-lineconnect: join a Flask shop and LINE.

The names below are imported when they are first used, so that importing the package costs nothing.
Start reading at ``extension.py``.
"""

from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from .clicks.tracked import track_links
    from .clicks.tracked import tracked_url
    from .errors import ConfigError
    from .errors import InvalidMessage
    from .errors import LineApiError
    from .errors import LineConnectError
    from .errors import Refused
    from .errors import UsageError
    from .extension import LineConnect
    from .folding import fold_amount
    from .folding import fold_day
    from .folding import fold_digits
    from .folding import fold_email
    from .folding import fold_phone
    from .folding import fold_postal_code
    from .folding import fold_text
    from .hooks.blueprint import LineBlueprint
    from .liff.blueprint import LiffBlueprint
    from .line_api.calls import LineCall
    from .login.auto import auto_login
    from .login.kept_forms import keep_form
    from .marketing.event_kinds import Fact
    from .marketing.segments.attributes import per_member
    from .marketing.segments.declared import MemberQuery
    from .messages.objects import PASS_ON
    from .messages.objects import ButtonsMessage
    from .messages.objects import CarouselMessage
    from .messages.objects import Column
    from .messages.objects import ConfirmMessage
    from .messages.objects import FlexMessage
    from .messages.objects import MessageAction
    from .messages.objects import PostbackAction
    from .messages.objects import RawMessage
    from .messages.objects import Reply
    from .messages.objects import TextMessage
    from .messages.objects import UriAction
    from .messages.render import render_message
    from .person_names import shown_name
    from .setting_up.channels import set_up_channels
    from .shop.adapter import LineProfile
    from .shop.adapter import MemberNotice
    from .shop.adapter import OwnerNotice
    from .shop.adapter import RichMenu
    from .shop.adapter import ShopAdapter
    from .shop.adapter import StaffRole
    from .shop.categories import DEFAULT_CATEGORIES
    from .shop.categories import Category
    from .shop.inquiry_desk import Inquiry
    from .shop.inquiry_desk import InquiryDesk
    from .shop.member_desk import Coupon
    from .shop.member_desk import Favourite
    from .shop.member_desk import MemberDesk
    from .shop.order_desk import DeliveryOffer
    from .shop.order_desk import Issuer
    from .shop.order_desk import OrderDesk
    from .shop.order_desk import OrderDetail
    from .shop.order_desk import OrderLine
    from .shop.order_desk import OrderSummary
    from .shop.order_desk import Parcel
    from .shop.order_events import OrderEvents
    from .shop.point_ledger import PointLedger
    from .shop.points import NextRank
    from .shop.points import PointBalance
    from .shop.points import PointChange
    from .shop.product_desk import Product
    from .shop.product_desk import ProductDesk
    from .state import current_line
    from .testing.emulator import Emulator
    from .testing.emulator import run_emulator
    from .webhooks.dialogues import Dialogue
    from .webhooks.dialogues import begin_dialogue
    from .webhooks.events import AccountLinkEvent
    from .webhooks.events import AudioEvent
    from .webhooks.events import BeaconEvent
    from .webhooks.events import Event
    from .webhooks.events import FileEvent
    from .webhooks.events import FollowEvent
    from .webhooks.events import ImageEvent
    from .webhooks.events import JoinEvent
    from .webhooks.events import LeaveEvent
    from .webhooks.events import LocationEvent
    from .webhooks.events import MemberJoinedEvent
    from .webhooks.events import MemberLeftEvent
    from .webhooks.events import MembershipEvent
    from .webhooks.events import MessageEvent
    from .webhooks.events import PostbackEvent
    from .webhooks.events import StickerEvent
    from .webhooks.events import TextEvent
    from .webhooks.events import UnfollowEvent
    from .webhooks.events import UnknownEvent
    from .webhooks.events import UnsendEvent
    from .webhooks.events import VideoEvent
    from .webhooks.events import VideoPlayCompleteEvent
    from .webhooks.members import account_link_url
    from .webhooks.members import link_invitation
    from .webhooks.members import postback_for
    from .webhooks.members import require_member
    from .webhooks.people import account_for
    from .webhooks.people import member_for

_HOMES = {
    "clicks.tracked": ("track_links", "tracked_url"),
    "folding": (
        "fold_amount",
        "fold_day",
        "fold_digits",
        "fold_email",
        "fold_phone",
        "fold_postal_code",
        "fold_text",
    ),
    "hooks.blueprint": ("LineBlueprint",),
    "shop.categories": ("DEFAULT_CATEGORIES", "Category"),
    "setting_up.channels": ("set_up_channels",),
    "testing.emulator": ("Emulator", "run_emulator"),
    "errors": (
        "ConfigError",
        "InvalidMessage",
        "LineApiError",
        "LineConnectError",
        "Refused",
        "UsageError",
    ),
    "extension": ("LineConnect",),
    "liff.blueprint": ("LiffBlueprint",),
    "line_api.calls": ("LineCall",),
    "login.auto": ("auto_login",),
    "login.kept_forms": ("keep_form",),
    "shop.inquiry_desk": ("Inquiry", "InquiryDesk"),
    "shop.member_desk": ("Coupon", "Favourite", "MemberDesk"),
    "marketing.event_kinds": ("Fact",),
    "marketing.segments.attributes": ("per_member",),
    "marketing.segments.declared": ("MemberQuery",),
    "messages.objects": (
        "PASS_ON",
        "ButtonsMessage",
        "CarouselMessage",
        "Column",
        "ConfirmMessage",
        "FlexMessage",
        "MessageAction",
        "PostbackAction",
        "RawMessage",
        "Reply",
        "TextMessage",
        "UriAction",
    ),
    "messages.render": ("render_message",),
    "person_names": ("shown_name",),
    "shop.order_desk": (
        "DeliveryOffer",
        "Issuer",
        "OrderDesk",
        "OrderDetail",
        "OrderLine",
        "OrderSummary",
        "Parcel",
    ),
    "shop.order_events": ("OrderEvents",),
    "shop.point_ledger": ("PointLedger",),
    "shop.points": ("NextRank", "PointBalance", "PointChange"),
    "shop.product_desk": ("Product", "ProductDesk"),
    "shop.adapter": (
        "LineProfile",
        "MemberNotice",
        "OwnerNotice",
        "RichMenu",
        "ShopAdapter",
        "StaffRole",
    ),
    "state": ("current_line",),
    "webhooks.dialogues": ("Dialogue", "begin_dialogue"),
    "webhooks.events": (
        "AccountLinkEvent",
        "AudioEvent",
        "BeaconEvent",
        "Event",
        "FileEvent",
        "FollowEvent",
        "ImageEvent",
        "JoinEvent",
        "LeaveEvent",
        "LocationEvent",
        "MemberJoinedEvent",
        "MemberLeftEvent",
        "MembershipEvent",
        "MessageEvent",
        "PostbackEvent",
        "StickerEvent",
        "TextEvent",
        "UnfollowEvent",
        "UnknownEvent",
        "UnsendEvent",
        "VideoEvent",
        "VideoPlayCompleteEvent",
    ),
    "webhooks.members": (
        "account_link_url",
        "link_invitation",
        "postback_for",
        "require_member",
    ),
    "webhooks.people": ("account_for", "member_for"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DEFAULT_CATEGORIES",
    "PASS_ON",
    "AccountLinkEvent",
    "AudioEvent",
    "BeaconEvent",
    "ButtonsMessage",
    "CarouselMessage",
    "Category",
    "Column",
    "ConfigError",
    "ConfirmMessage",
    "Coupon",
    "DeliveryOffer",
    "Dialogue",
    "Emulator",
    "Event",
    "Fact",
    "Favourite",
    "FileEvent",
    "FlexMessage",
    "FollowEvent",
    "ImageEvent",
    "Inquiry",
    "InquiryDesk",
    "InvalidMessage",
    "Issuer",
    "JoinEvent",
    "LeaveEvent",
    "LiffBlueprint",
    "LineApiError",
    "LineBlueprint",
    "LineCall",
    "LineConnect",
    "LineConnectError",
    "LineProfile",
    "LocationEvent",
    "MemberDesk",
    "MemberJoinedEvent",
    "MemberLeftEvent",
    "MemberNotice",
    "MemberQuery",
    "MembershipEvent",
    "MessageAction",
    "MessageEvent",
    "NextRank",
    "OrderDesk",
    "OrderDetail",
    "OrderEvents",
    "OrderLine",
    "OrderSummary",
    "OwnerNotice",
    "Parcel",
    "PointBalance",
    "PointChange",
    "PointLedger",
    "PostbackAction",
    "PostbackEvent",
    "Product",
    "ProductDesk",
    "RawMessage",
    "Refused",
    "Reply",
    "RichMenu",
    "ShopAdapter",
    "StaffRole",
    "StickerEvent",
    "TextEvent",
    "TextMessage",
    "UnfollowEvent",
    "UnknownEvent",
    "UnsendEvent",
    "UriAction",
    "UsageError",
    "VideoEvent",
    "VideoPlayCompleteEvent",
    "account_for",
    "account_link_url",
    "auto_login",
    "begin_dialogue",
    "current_line",
    "fold_amount",
    "fold_day",
    "fold_digits",
    "fold_email",
    "fold_phone",
    "fold_postal_code",
    "fold_text",
    "keep_form",
    "link_invitation",
    "member_for",
    "per_member",
    "postback_for",
    "render_message",
    "require_member",
    "run_emulator",
    "set_up_channels",
    "shown_name",
    "track_links",
    "tracked_url",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
