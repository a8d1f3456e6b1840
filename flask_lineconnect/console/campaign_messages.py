"""What a campaign says, as the form of its second step has it: a text, and perhaps a button."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..marketing.campaigns.definition import Definition
from ..marketing.scenarios.checking import ALWAYS
from ..marketing.scenarios.checking import World
from ..marketing.scenarios.draft_checking import check_message
from ..state import LineState
from .i18n import gettext as _


def read(
    line: LineState, definition: Definition, form: Mapping[str, str]
) -> tuple[Definition, str]:
    """Return a campaign with what the form says, and what is wrong with that; empty: nothing."""
    said: Any = {"text": form.get("text", "").strip()}
    label, url = form.get("button_label", "").strip(), form.get("button_url", "").strip()
    if label or url:
        said["button"] = {"label": label, "url": url}
    message = json.dumps(said, ensure_ascii=False)
    first, *others = definition.variants
    changed = replace(definition, variants=(replace(first, message=message), *others))
    if not said["text"]:
        return changed, _("本文を書いてください。")
    world = World.of(line)
    known = world.known_beside({**ALWAYS, **world.attributes})
    _drafts, problems = check_message(message, known, "", world.languages, world.manner)
    return changed, problems[0][1] if problems else ""


def shown(
    line: LineState, definition: Definition, form: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return what the template draws."""
    said = json.loads(definition.variants[0].message)
    said = {"text": said} if isinstance(said, str) else said
    button = said.get("button") or {}
    return {"text": said.get("text", ""), "button": button}


def previewed(line: LineState, definition: Definition) -> dict[str, Any]:
    """Return what the last step shows of the messages."""
    texts = []
    for variant in definition.variants:
        said = json.loads(variant.message)
        text = said if isinstance(said, str) else said.get("text", "")
        texts.append(text if isinstance(text, str) else next(iter(text.values()), ""))
    return {"texts": texts}
