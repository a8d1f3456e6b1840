"""What a form with a composer says: bubbles, each with its fields; and a message as such bubbles.

Fields are called ``{prefix}-{bubble}-{part}-{language}``, such as ``message-0-text-ja``: one form
may have several composers. Nothing is judged here: ``composing.py`` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any
from typing import TypeAlias

from werkzeug.datastructures import MultiDict

from ..i18n import languages
from ..messages.limits import MAX_MESSAGES
from ..messages.limits import MAX_QUICK_REPLIES

Form: TypeAlias = MultiDict[str, str]
#: One text by language.
Texts: TypeAlias = Mapping[str, str]

#: The parts of each kind of bubble in which somebody writes, in the order of the form.
PARTS: Mapping[str, Sequence[str]] = {
    "text": ("text",),
    "note": ("text", "label", "to"),
    "products": ("alt_text", "label"),
    "coupon": ("alt_text", "label", "to"),
    "image": ("image",),
    "flex": ("alt_text", "flex"),
}
#: What a button does: it opens an address, or writes a text into the chat.
DOES = ("url", "text")


@dataclass(frozen=True, slots=True)
class Reply:
    """A quick reply, or a button.

    :ivar does: one of :data:`DOES`.
    :ivar to: the address, or the text.
    """

    label: Texts = field(default_factory=dict)
    does: str = "text"
    to: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """One bubble.

    :ivar kind: one of those that have :data:`PARTS`.
    :ivar texts: by part.
    :ivar does: of its button.
    :ivar named: the list of products, or the coupon, that it shows.
    """

    kind: str
    texts: Mapping[str, Texts] = field(default_factory=dict)
    does: str = "url"
    named: str = ""
    replies: tuple[Reply, ...] = ()

    def text(self, part: str, language: str) -> str:
        """Return what is written in a field."""
        return self.texts.get(part, {}).get(language, "")


def is_pressed(form: Form, prefix: str) -> bool:
    """Tell whether a button of the composer itself was pressed, after which it is drawn again."""
    return f"{prefix}-do" in form


def blocks_of(form: Form, prefix: str) -> tuple[Block, ...]:
    """Return the bubbles that a form says, after what its own buttons did."""
    count = form.get(f"{prefix}-count", 0, type=int)
    found = [_block(form, f"{prefix}-{n}") for n in range(max(0, min(count, MAX_MESSAGES)))]
    what, _dash, where = form.get(f"{prefix}-do", "").partition("-")
    change = _CHANGES.get(what)
    return tuple(found if change is None else change(found, where))


def values_of(message: str) -> tuple[Block, ...]:
    """Return a message, JSON of one draft or of several, as the bubbles of a form."""
    drafts = json.loads(message)
    return tuple(_of_draft(one) for one in (drafts if isinstance(drafts, list) else [drafts]))


def draft_of(block: Block) -> Any:
    """Return a bubble as ``messages/draft_data.py`` reads it."""
    words = {part: _written(block.texts.get(part, {})) for part in PARTS[block.kind]}
    draft: dict[str, Any] = {"text" if block.kind == "note" else block.kind: block.named}
    draft |= {part: words[part] for part in ("text", "flex", "image", "alt_text") if part in words}
    if "to" in words:
        draft["button"] = {"label": words["label"], block.does: words["to"]}
    elif "label" in words:
        draft["button"] = words["label"]
    if block.replies:
        draft["quick_replies"] = [
            {"label": _written(one.label), one.does: _written(one.to)} for one in block.replies
        ]
    return draft


def message_of(blocks: Sequence[Block]) -> str:
    """Return bubbles as JSON of one draft, or of several."""
    drafts = [draft_of(one) for one in blocks]
    return json.dumps(drafts[0] if len(drafts) == 1 else drafts, ensure_ascii=False)


def own_language() -> str:
    """Return the language whose text stands for all that are not written."""
    return next(iter(languages()))


def _block(form: Form, name: str) -> Block:
    kind, does = form.get(f"{name}-kind", ""), form.get(f"{name}-does", "url")
    kind = kind if kind in PARTS else "text"
    count = form.get(f"{name}-replies", 0, type=int)
    return Block(
        kind,
        {part: _texts(form, f"{name}-{part}") for part in PARTS[kind]},
        does if does in DOES else "url",
        form.get(f"{name}-named", "")[:200],
        tuple(
            _reply(form, f"{name}-reply{n}") for n in range(max(0, min(count, MAX_QUICK_REPLIES)))
        ),
    )


def _reply(form: Form, name: str) -> Reply:
    does = form.get(f"{name}-does", "text")
    label, to = _texts(form, f"{name}-label"), _texts(form, f"{name}-to")
    return Reply(label, does if does in DOES else "text", to)


def _texts(form: Form, name: str) -> Texts:
    """Return what is written in the fields of one text; also of languages that we don't know."""
    found = {key[len(name) + 1 :]: form[key] for key in form if key.startswith(f"{name}-")}
    return {
        language: text.replace("\r\n", "\n").strip("\n")
        for language, text in found.items()
        if text.strip()
    }


def _written(texts: Texts) -> Any:
    """Return a text as drafts have it: alone where it is written in our language only."""
    own = own_language()
    if not texts or set(texts) == {own}:
        return texts.get(own, "")
    return dict(sorted(texts.items(), key=lambda one: one[0] != own))


def _of_draft(draft: Any) -> Block:
    if isinstance(draft, str):
        draft = {"text": draft}
    kind = next(one for one in ("flex", "products", "coupon", "image", "text") if one in draft)
    kind = "note" if kind == "text" and "button" in draft else kind
    button = draft.get("button")
    tap = _of_tap(button) if isinstance(button, dict) and "label" in button else None
    texts = {part: _by_language(draft[part]) for part in PARTS[kind] if part in draft}
    if tap is not None:
        texts |= {"label": tap.label, "to": tap.to}
    elif button is not None:
        texts["label"] = _by_language(button)
    named = str(draft[kind]) if kind in ("products", "coupon") else ""
    replies = tuple(_of_tap(one) for one in draft.get("quick_replies", ()))
    return Block(kind, texts, "url" if tap is None else tap.does, named, replies)


def _of_tap(tap: Mapping[str, Any]) -> Reply:
    does = "url" if "url" in tap else "text"
    return Reply(_by_language(tap["label"]), does, _by_language(tap[does]))


def _by_language(said: Any) -> Texts:
    return {own_language(): said} if isinstance(said, str) else dict(said)


def _add(blocks: list[Block], kind: str) -> list[Block]:
    is_known = kind in PARTS and len(blocks) < MAX_MESSAGES
    return [*blocks, Block(kind)] if is_known else blocks


def _drop(blocks: list[Block], where: str) -> list[Block]:
    return [one for n, one in enumerate(blocks) if str(n) != where]


def _up(blocks: list[Block], where: str) -> list[Block]:
    n = _number(where)
    if 0 < n < len(blocks):
        blocks[n - 1], blocks[n] = blocks[n], blocks[n - 1]
    return blocks


def _down(blocks: list[Block], where: str) -> list[Block]:
    return _up(blocks, str(_number(where) + 1))


def _add_reply(blocks: list[Block], where: str) -> list[Block]:
    n = _number(where)
    if 0 <= n < len(blocks) and len(blocks[n].replies) < MAX_QUICK_REPLIES:
        blocks[n] = replace(blocks[n], replies=(*blocks[n].replies, Reply()))
    return blocks


def _drop_reply(blocks: list[Block], where: str) -> list[Block]:
    block, _dash, reply = where.partition("-")
    n = _number(block)
    if 0 <= n < len(blocks):
        kept = [one for m, one in enumerate(blocks[n].replies) if str(m) != reply]
        blocks[n] = replace(blocks[n], replies=tuple(kept))
    return blocks


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else -1


#: What the composer's own buttons do, by the first word of their value.
_CHANGES: Mapping[str, Callable[[list[Block], str], list[Block]]] = {
    "add": _add,
    "drop": _drop,
    "up": _up,
    "down": _down,
    "reply": _add_reply,
    "unreply": _drop_reply,
}
