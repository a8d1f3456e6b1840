"""The composer: the part of a form in which messages are written, checked at each field.

A page may have several, told apart by their prefix, for example one for each variant of a campaign.
A view draws one, and reads it when its form comes back::

    def content() -> Response | str:
        line = current_line
        if request.method == "POST":
            composer = composer_of(line, request.form, "message")
            if not is_pressed(request.form, "message"):  # a button of the page, none of its own
                try:
                    message = read_message(line, request.form, "message")
                except NotComposed as error:
                    composer = error.composer  # the same, with what is wrong at each field
                else:
                    ...  # JSON, such as Variant.message has; save it, and go on
        else:
            composer = composer_for(line, saved_message, "message")  # None: a new one
        return render("content", composer=composer)

Its template includes the part inside of the page's one form, which has the token, ``method="post"``
and any fields and buttons of the page's own; no name of those begins with the prefix::

    <form method="post">{{ lineconnect.csrf_field() }}
      {% with composer=composer %}{% include "lineconnect/console/_composer.html" %}{% endwith %}
      <button class="lc-button lc-main" name="do" value="save">…</button>
    </form>

The part brings its script along, and the phone beside it, which ``phone.py`` draws. With several
composers a button of any of them is asked for with ``is_pressed`` of each prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from decimal import Decimal
from typing import Any

from ..errors import InvalidMessage
from ..errors import UsageError
from ..i18n import languages
from ..marketing.campaigns.messages import messages_for
from ..marketing.scenarios.cards import FAVOURITES
from ..marketing.scenarios.cards import manner_for
from ..marketing.segments.attributes import Attributes
from ..marketing.values import ValueType
from ..messages.draft_data import Known
from ..messages.draft_data import read_draft
from ..messages.draft_parts import MAX_BUTTON_LABEL
from ..messages.draft_parts import MAX_REPLY_LABEL
from ..messages.draft_parts import MAX_REPLY_TEXT
from ..messages.draft_parts import MAX_URI
from ..messages.draft_parts import Words
from ..messages.draft_parts import address
from ..messages.drafts import specimens
from ..messages.limits import MAX_ALT_TEXT
from ..messages.limits import MAX_MESSAGES
from ..messages.limits import MAX_TEXT
from ..messages.limits import is_storable
from ..messages.limits import utf16_length
from ..messages.wording import InvalidWording
from ..messages.wording import Wording
from ..messages.wording import longest
from ..state import LineState
from .blocks import PARTS
from .blocks import Block
from .blocks import Form
from .blocks import Texts
from .blocks import blocks_of
from .blocks import draft_of
from .blocks import is_pressed
from .blocks import message_of
from .blocks import own_language
from .blocks import values_of
from .i18n import gettext as _
from .i18n import lazy_gettext
from .phone import Phone
from .phone import Pose
from .phone import phone_of
from .phone import pose_of
from .why import why

__all__ = (
    "Composer",
    "NotComposed",
    "composer_for",
    "composer_of",
    "is_pressed",
    "read_message",
    "values_of",
)

#: What bubbles are called.
KINDS: Mapping[str, Any] = {
    "text": lazy_gettext("文章"),
    "note": lazy_gettext("文章とボタン"),
    "products": lazy_gettext("商品カード"),
    "coupon": lazy_gettext("クーポン"),
    "image": lazy_gettext("写真"),
    "flex": lazy_gettext("Flex（JSON）"),
}
#: What their fields are called.
LABELS: Mapping[str, Any] = {
    "text": lazy_gettext("本文"),
    "alt_text": lazy_gettext("通知に出る一行"),
    "label": lazy_gettext("ボタンの文字"),
    "url": lazy_gettext("開くアドレス"),
    "send": lazy_gettext("お客様が送ることになる文"),
    "image": lazy_gettext("写真のアドレス"),
    "flex": lazy_gettext("Flexの中身"),
}
#: So much LINE takes of each, in UTF-16 units; of what is not here, a whole bubble is measured.
LIMITS: Mapping[str, int] = {
    "text": MAX_TEXT,
    "alt_text": MAX_ALT_TEXT,
    "label": MAX_BUTTON_LABEL,
    "url": MAX_URI,
    "send": MAX_REPLY_TEXT,
}


class NotComposed(Exception):
    """What is written can't be sent.

    :ivar composer: with what is wrong, at each field.
    """

    def __init__(self, composer: Composer):
        super().__init__("; ".join(composer.errors))
        self.composer = composer


@dataclass(frozen=True, slots=True)
class Insert:
    """A value that texts may name.

    :ivar code: what stands for it in a text.
    """

    label: Any
    code: str


@dataclass(slots=True)
class Composer:
    """What the template draws.

    :ivar errors: what is wrong, by the name of its field; a bubble's own by ``{prefix}-{number}``.
    :ivar languages: names of those in which messages are written, by code; ours is the first.
    :ivar inserts: what may be put into texts.
    :ivar products: labels of lists of products, by name.
    :ivar coupons: labels of coupons, by name.
    """

    prefix: str
    blocks: tuple[Block, ...]
    pose: Pose
    phone: Phone
    languages: Mapping[str, str]
    inserts: Sequence[Insert]
    products: Mapping[str, Any]
    coupons: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Any] = field(default_factory=lambda: KINDS)
    parts: Mapping[str, Sequence[str]] = field(default_factory=lambda: PARTS)
    labels: Mapping[str, Any] = field(default_factory=lambda: LABELS)
    limits: Mapping[str, int] = field(default_factory=lambda: LIMITS)
    reply_limit: int = MAX_REPLY_LABEL
    most: int = MAX_MESSAGES

    @property
    def offered(self) -> list[str]:
        """The kinds of bubbles that may be added in this shop."""
        missing = {"flex"}
        missing |= set() if self.products else {"products"}
        missing |= set() if self.coupons else {"coupon"}
        return [kind for kind in self.kinds if kind not in missing]

    def is_translated(self, block: Block) -> bool:
        """Tell whether a bubble has texts in other languages than ours."""
        own = next(iter(self.languages))
        return any(set(texts) - {own} for texts in block.texts.values())

    def others(self, texts: Texts) -> list[str]:
        """Return the languages beside ours in which a text is, or may be, written."""
        own, *more = self.languages
        return [*more, *(one for one in texts if one not in self.languages and one != own)]


def composer_of(
    line: LineState, form: Form, prefix: str, errors: Mapping[str, str] | None = None
) -> Composer:
    """Return a composer as a form says it, after what its own buttons did."""
    return _composer(line, prefix, blocks_of(form, prefix), pose_of(form, prefix), errors or {})


def composer_for(line: LineState, message: str | None, prefix: str) -> Composer:
    """Return a composer for a message, JSON of drafts; ``None``: for a new one."""
    blocks = (Block("text"),) if message is None else values_of(message)
    return _composer(line, prefix, blocks, Pose(), {})


def read_message(line: LineState, form: Form, prefix: str) -> str:
    """Return what a form says as JSON of drafts, which can be sent as it is.

    :raises NotComposed: it can't be sent; has what is wrong at each field.
    """
    blocks = blocks_of(form, prefix)
    errors = dict(_Check(line, prefix).all(blocks))
    if errors:
        raise NotComposed(composer_of(line, form, prefix, errors))
    return message_of(blocks)


def _composer(
    line: LineState,
    prefix: str,
    blocks: tuple[Block, ...],
    pose: Pose,
    errors: Mapping[str, str],
) -> Composer:
    return Composer(
        prefix,
        blocks,
        pose,
        phone_of(line, blocks, pose),
        languages(),
        _inserts(line),
        _product_labels(line),
        line.shop.membership.coupons_for_messages(),
        errors,
    )


def _product_labels(line: LineState) -> dict[str, Any]:
    known, labels = messages_for(line).known.products, line.shop.products.lists
    own = {FAVOURITES: _("お気に入り")}
    return {name: labels.get(name) or own.get(name, name) for name in known}


def _inserts(line: LineState) -> list[Insert]:
    """Return the values that texts may name, as they are best written."""
    # Whoever has no name is not left out for it.
    first = [
        Insert(_("お名前"), "{{ name|default('お客') }}"),
        Insert(_("店名"), "{{ shop_name }}"),
    ]
    # What has choices is kept as codes, which nobody wants to read.
    kept = (one for one in line.part(Attributes) if one.choices is None)
    more = [(one.label, _code(one.name, one.type)) for one in kept]
    return [*first, *(Insert(label, code) for label, code in more if code)]


def _code(name: str, kind: ValueType) -> str:
    """Return what stands for a value in a text; empty for what is only true or false."""
    if kind.python is bool:
        return ""
    if kind.is_list:
        return f"{{{{ {name}|join('・') }}}}"
    if kind.python in (int, Decimal):
        return f"{{{{ {name}|number }}}}"
    return f"{{{{ {name} }}}}" if kind.python is str else f"{{{{ {name}|day }}}}"


class _Check:
    """Holds what is written against LINE's limits, with the longest values at hand."""

    def __init__(self, line: LineState, prefix: str):
        self._prefix = prefix
        self._known: Known = messages_for(line).known
        self._values = longest(self._known.variables)
        self._manners = {code: manner_for(line, code) for code in languages()}
        self._own = own_language()

    def all(self, blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
        """Return what is wrong, by field."""
        if not blocks:
            yield self._prefix, _("吹き出しを1つ以上作ってください。")
        for number, block in enumerate(blocks):
            place = f"{self._prefix}-{number}"
            errors = [*self._fields(block, place)]
            yield from errors or self._whole(block, place)

    def _fields(self, block: Block, place: str) -> Iterator[tuple[str, str]]:
        if block.kind == "products" and block.named not in self._known.products:
            yield f"{place}-named", _("商品の一覧を選んでください。")
        if block.kind == "coupon" and block.named not in self._known.coupons:
            yield f"{place}-named", _("クーポンを選んでください。")
        for part in PARTS[block.kind]:
            what = part if part != "to" else ("url" if block.does == "url" else "send")
            limit = None if (block.kind, part) == ("note", "text") else LIMITS.get(what)
            yield from self._texts(block.texts.get(part, {}), what, limit, f"{place}-{part}")
        for number, reply in enumerate(block.replies):
            where, what = f"{place}-reply{number}", "url" if reply.does == "url" else "send"
            yield from self._texts(reply.label, "label", MAX_REPLY_LABEL, f"{where}-label")
            yield from self._texts(reply.to, what, LIMITS[what], f"{where}-to")

    def _texts(
        self, texts: Texts, what: str, limit: int | None, place: str
    ) -> Iterator[tuple[str, str]]:
        label = LABELS[what]
        if not texts:
            yield f"{place}-{self._own}", _("「%(label)s」を書いてください。", label=label)
        for language, source in texts.items():
            error = self._wrong(source, language, what, limit)
            if error:
                yield f"{place}-{language}", error

    def _wrong(self, source: str, language: str, what: str, limit: int | None) -> str:
        label, manner = LABELS[what], self._manners.get(language, self._manners[self._own])
        if not is_storable(source):
            return _("「%(label)s」に、送れない文字があります。", label=label)
        try:
            wording = Wording.read(source, self._known.variables)
            if what in ("url", "image"):
                address(Words(((language, wording),)), self._values, manner)
                return ""
            # JSON is judged whole, with its values in their places.
            length = 0 if what == "flex" else utf16_length(wording.render(self._values, manner))
        except InvalidWording as error:
            return _(
                "「%(label)s」の%(line)s行目・%(column)s文字目の差し込みが読めません。"
                "「差し込む」から入れ直してください。",
                label=label,
                line=error.line,
                column=error.column,
            )
        except InvalidMessage:
            return _(
                "「%(label)s」は、「https://」か「/」で始まるアドレスにしてください。", label=label
            )
        except UsageError as error:
            return _("「%(label)s」は書き出せません。%(why)s", label=label, why=why(error))
        if limit is None or length <= limit:
            return ""
        return _(
            "「%(label)s」は%(limit)s文字までです。いちばん長い値が入ると%(length)s文字になります"
            "（絵文字は2文字と数えます）。",
            label=label,
            limit=limit,
            length=length,
        )

    def _whole(self, block: Block, place: str) -> Iterator[tuple[str, str]]:
        """Write a bubble as it is sent, in each language."""
        try:
            draft = read_draft(draft_of(block), self._known)
            for language, manner in self._manners.items():
                for _one in specimens(
                    draft, self._known.variables, languages=[language], manner=manner
                ):
                    pass
        except UsageError as error:
            yield place, _("この吹き出しは、このままでは送れません。%(why)s", why=why(error))
