"""What a campaign says, as the form of its second step has it: a composer for each text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.campaigns.definition import Variant
from ..state import LineState
from .blocks import Form
from .blocks import blocks_of
from .blocks import message_of
from .campaign_drafts import unwritten
from .composing import Composer
from .composing import NotComposed
from .composing import composer_for
from .composing import composer_of
from .composing import is_pressed
from .composing import read_message
from .i18n import gettext as _
from .phone import Phone
from .saved_messages import find_message

#: Texts that the wizard compares.
MOST = 2
NAMES = ("a", "b")
#: A button that takes a saved message for a text, before the text's number; and the field, which
#: says which one.
TAKE = "take-"


@dataclass(frozen=True, slots=True)
class Written:
    """What the form says.

    :ivar definition: the campaign with it.
    :ivar is_ready: whether all of it can be sent.
    :ivar taken: the label of a saved message that one of its texts is now.
    :ivar problem: what stood in the way of it.
    """

    definition: Definition
    composers: list[Composer]
    is_ready: bool
    taken: str = ""
    problem: str = ""


def composers_for(line: LineState, definition: Definition) -> list[Composer]:
    """Return a composer for each text of a campaign."""
    found = enumerate(definition.variants)
    return [composer_for(line, one.message, _prefix(at)) for at, one in found]


def read(line: LineState, definition: Definition, form: Form) -> Written:
    """Return a campaign with what the form says, after what its own buttons did."""
    most = max(MOST, len(definition.variants))
    prefixes = [_prefix(at) for at in range(most) if f"{_prefix(at)}-count" in form]
    if not prefixes:
        return Written(definition, composers_for(line, definition), is_ready=False)
    messages = [_message(form, prefix) for prefix in prefixes]
    do = form.get("do", "")
    if do.startswith(TAKE):
        return _take(line, definition, form, prefixes)
    if do == "compare" and len(messages) < MOST and definition.to is not Everybody.FRIENDS:
        # The second one begins as the first: what differs is what is compared.
        messages.append(messages[0])
    elif do == "alone":
        messages = messages[:1]
    if do in {"compare", "alone"} or any(is_pressed(form, prefix) for prefix in prefixes):
        changed = _with(definition, messages)
        return Written(changed, _drawn(line, form, changed, prefixes), is_ready=False)
    composers: list[Composer] = []
    is_ready = True
    for at, prefix in enumerate(prefixes):
        try:
            messages[at] = read_message(line, form, prefix)
            composers.append(composer_of(line, form, prefix))
        except NotComposed as error:
            composers.append(error.composer)
            is_ready = False
    return Written(_with(definition, messages), composers, is_ready)


def phones(line: LineState, definition: Definition) -> list[tuple[str, Phone]]:
    """Return each text as it looks on a phone, with what it is called."""
    several = len(definition.variants) > 1
    return [
        (title(at) if several else "", one.phone)
        for at, one in enumerate(composers_for(line, definition))
    ]


def title(at: int) -> str:
    """Return what a text is called."""
    return _("文面%(letter)s", letter="ABCDEFGHIJ"[at])


def _take(line: LineState, definition: Definition, form: Form, prefixes: Sequence[str]) -> Written:
    """Return a campaign one of whose texts is a copy of a saved message; nothing is kept yet."""
    do, messages = form["do"], [_message(form, prefix) for prefix in prefixes]
    at = next((at for at in range(len(messages)) if do == f"{TAKE}{at}"), None)
    saved = None if at is None else find_message(line.session, form.get(do, ""))
    if at is None or saved is None:
        changed = _with(definition, messages)
        problem = _("写す保存メッセージを選んでください。")
        return Written(changed, _drawn(line, form, changed, prefixes), False, problem=problem)
    messages[at] = saved.message
    changed = _with(definition, messages)
    others = [one for one in prefixes if one != prefixes[at]]
    return Written(changed, _drawn(line, form, changed, others), False, taken=saved.label)


def _prefix(at: int) -> str:
    return f"text{NAMES[at] if at < len(NAMES) else at}"


def _message(form: Form, prefix: str) -> str:
    blocks = blocks_of(form, prefix)
    return message_of(blocks) if blocks else unwritten()


def _drawn(
    line: LineState, form: Form, definition: Definition, prefixes: Sequence[str]
) -> list[Composer]:
    """Return the composers as the form stands; what it has not is as the campaign has it."""
    found = []
    for at, variant in enumerate(definition.variants):
        is_there = _prefix(at) in prefixes
        found.append(
            composer_of(line, form, _prefix(at))
            if is_there
            else composer_for(line, variant.message, _prefix(at))
        )
    return found


def _with(definition: Definition, messages: Sequence[str]) -> Definition:
    """Return a campaign with these texts, whose names and shares it keeps."""
    if len(messages) == len(definition.variants):
        pairs = zip(definition.variants, messages, strict=True)
        return replace(
            definition, variants=tuple(replace(one, message=message) for one, message in pairs)
        )
    if len(messages) == 1:
        return replace(definition, variants=(Variant("", 1, messages[0]),))
    texts = zip(NAMES, messages, strict=True)
    return replace(definition, variants=tuple(Variant(name, 1, text) for name, text in texts))
