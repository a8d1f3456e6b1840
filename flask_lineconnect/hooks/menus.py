"""Rich menus that a shop declares in code, as they were given; ``rich_menus/`` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..marketing.registry import Registry


@dataclass(frozen=True, slots=True)
class DeclaredMenu:
    """A rich menu in code.

    :ivar definition: in the words of a TOML file.
    :ivar folder: where its image and its font lie.
    """

    name: str
    definition: Mapping[str, Any]
    folder: Path
    home: str


class DeclaredMenus(Registry[DeclaredMenu]):
    """The rich menus that the blueprints of one app declare."""

    called = "rich menu"
