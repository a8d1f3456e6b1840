"""A member's key as it is typed after a command."""

from __future__ import annotations

from typing import Any

import click

from ..linking.member_keys import read_member_key
from ..state import current_line


def member_key_of(text: str) -> Any:
    """Return a member's key in the type that the shop uses.

    :raises ClickException: it can't be one.
    """
    try:
        return read_member_key(current_line.shop.model, text)
    except ValueError:
        raise click.ClickException(f"{text} can't be the key of a member") from None
