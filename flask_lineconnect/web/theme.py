"""All colours of our pages, by day and by night, from the six values of a shop's theme.

They are computed at start and not mixed by the browser, so that old phones see the same. Contrasts
hold by construction: a colour that can't be read on its grounds is moved in lightness until it can.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache

from ..errors import UsageError
from .colours import contrast
from .colours import mix
from .colours import move_until
from .colours import to_hex
from .colours import to_oklch

logger = logging.getLogger(__name__)

#: The look of a shop that names none.
DEFAULT = {
    "ground": "#f6f7f5",
    "ink": "#1f2421",
    "action": "#0b6b3a",
    "accent": "#0b6b3a",
    "card": "#0b4a30",
    "heading": "inherit",
}
#: Names of before, and what they are now; ``None``: it is derived. They go with the next release.
OLD_NAMES: dict[str, str | None] = {
    "--lc-action": "action",
    "--lc-link": "action",
    "--lc-brand": "accent",
    "--lc-card": "card",
    "--lc-page": "ground",
    "--lc-text": "ink",
    "--lc-edge": None,
    "--lc-outline": None,
    "--lc-on-action": None,
    "--lc-on-card": None,
    "--lc-surface": None,
    "--lc-muted": None,
    "--lc-tint": None,
    "--lc-danger": None,
    "--lc-danger-tint": None,
    "--lc-focus": None,
}
#: Hues that mean something everywhere; "good" is the shop's own accent.
STATES: dict[str, float | None] = {"good": None, "warn": 70.0, "bad": 27.0, "info": 250.0}
_COLOUR = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_FONTS = re.compile(r"[^;{}<>\\]{1,300}")
#: WCAG 2.2 asks for 4.5 (1.4.3) and 3 (1.4.11); a little more, because rounding takes some.
_TEXT, _INK, _MUTED, _MARK, _FOCUS, _CARD = 4.6, 10, 4.9, 3.1, 3.2, 7


def complete(theme: Mapping[str, str]) -> dict[str, str]:
    """Return all six values of a theme, checked, with the default's where the shop names none.

    :raises UsageError: a name or a value is none of a theme's.
    """
    named = _with_new_names(theme)
    for name, value in named.items():
        if name not in DEFAULT:
            raise UsageError(f"ShopAdapter.theme has no {name!r}; it has {', '.join(DEFAULT)}")
        wanted = _FONTS if name == "heading" else _COLOUR
        if not isinstance(value, str) or not wanted.fullmatch(value):
            what = "a list of fonts" if name == "heading" else "a colour such as #7a4b2a"
            raise UsageError(f"ShopAdapter.theme[{name!r}] is {value!r}; it must be {what}")
    # A shop with one colour of its own has it everywhere.
    own = {key: named["action"] for key in ("accent", "card") if "action" in named}
    whole = DEFAULT | own | named
    return {
        name: value if name == "heading" else _six_digits(value) for name, value in whole.items()
    }


def derive(theme: Mapping[str, str], *, dark: bool) -> dict[str, str]:
    """Return the colour of every role, by day or by night.

    :param theme: all values, as :func:`complete` returns them.
    """
    roles = _grounds(theme, dark=dark)
    fields = [roles[name] for name in ("ground", "surface", "raised", "sunken")]
    ink = theme["ink"] if not dark else to_hex(0.935, *_night_of(theme))
    roles["ink"] = move_until(ink, fields, _INK, darker=not dark)
    wash = 0.17 if dark else 0.12
    roles["action"], roles["tint"] = _role(theme["action"], wash, roles, fields, dark=dark)
    roles["accent"], roles["accent-tint"] = _role(
        theme["accent"], wash + 0.02, roles, fields, dark=dark
    )
    for name, hue in STATES.items():
        base = theme["accent"] if hue is None else to_hex(0.5, 0.13, hue)
        roles[name], roles[f"{name}-tint"] = _role(base, wash, roles, fields, dark=dark)
    tints = [value for name, value in roles.items() if name.endswith("tint")]
    muted = mix(roles["ink"], roles["ground"], 0.66)
    roles["muted"] = move_until(muted, [*fields, *tints], _MUTED, darker=not dark)
    edge = mix(roles["ink"], roles["ground"], 0.34)
    roles["edge"] = move_until(edge, fields, _MARK, darker=not dark)
    for name in ("action", "bad"):
        roles[f"on-{name}"] = max("#ffffff", "#1d130b", key=lambda c: contrast(c, roles[name]))
    light, chroma, hue = to_oklch(theme["card"])
    roles["card"] = to_hex(min(light, 0.42), chroma, hue)
    roles["on-card"] = move_until(to_hex(0.975, 0.015, hue), [roles["card"]], _CARD, darker=False)
    roles["focus"] = move_until(to_hex(0.5, 0.16, 255), fields, _FOCUS, darker=not dark)
    return roles | _chart(roles, fields, dark=dark)


@lru_cache(maxsize=16)
def style_sheet(items: tuple[tuple[str, str], ...]) -> str:
    """Return the two blocks of properties that every page of ours brings along.

    What had to be moved to be readable is a line of the log, the first time.

    :param items: of a shop's theme.
    """
    theme = dict(items)
    whole = complete(theme)
    day, night = derive(whole, dark=False), derive(whole, dark=True)
    for name in ("ink", "action", "accent"):
        if name in theme and day[name] != whole[name]:
            logger.info(
                "the theme's %s %s is %s on our pages, so that it can be read", name,
                whole[name], day[name],
            )  # fmt: skip
    heading = f"--lc-heading:{whole['heading']};"
    return (
        f":root{{color-scheme:light dark;{heading}{_block(day)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_block(night)}}}}}\n"
    )


def _block(roles: Mapping[str, str]) -> str:
    return "".join(f"--lc-{name}:{value};" for name, value in roles.items())


def _with_new_names(theme: Mapping[str, str]) -> dict[str, str]:
    new = {name: value for name, value in theme.items() if name not in OLD_NAMES}
    for old in (name for name in OLD_NAMES if name in theme):
        name = OLD_NAMES[old]
        mend = f"write {name!r}" if name else "leave it out: it is derived from the others"
        warnings.warn(
            f"ShopAdapter.theme[{old!r}] is going away; {mend}", DeprecationWarning, stacklevel=2
        )
        if name is not None:
            new.setdefault(name, theme[old])
    return new


def _six_digits(colour: str) -> str:
    digits = colour[1:].lower()
    return f"#{digits}" if len(digits) > 3 else "#" + "".join(2 * digit for digit in digits)


def _night_of(theme: Mapping[str, str]) -> tuple[float, float]:
    """Return chroma and hue of the night: a page's night is its ink, not its paper."""
    _light, chroma, hue = to_oklch(theme["ink"])
    return min(chroma * 0.5, 0.016), hue


def _grounds(theme: Mapping[str, str], *, dark: bool) -> dict[str, str]:
    if dark:
        chroma, hue = _night_of(theme)
        roles = {
            "ground": to_hex(0.205, chroma * 0.8, hue),
            "surface": to_hex(0.248, chroma, hue),
            "raised": to_hex(0.29, chroma, hue),
            "sunken": to_hex(0.172, chroma * 0.7, hue),
            "line": to_hex(0.34, chroma * 1.2, hue),
        }
        return roles | {"quiet": roles["raised"]}
    light, chroma, hue = to_oklch(theme["ground"])
    light, chroma = max(light, 0.945), min(chroma, 0.03)
    surface = to_hex(min(0.995, light + 0.022), chroma * 0.55, hue)
    sunken = to_hex(light - 0.024, chroma * 1.25, hue)
    return {
        "ground": to_hex(light, chroma, hue),
        "surface": surface,
        "raised": surface,
        "sunken": sunken,
        "line": to_hex(light - 0.075, chroma * 1.9, hue),
        "quiet": sunken,
    }


def _role(
    colour: str, wash: float, roles: Mapping[str, str], fields: list[str], *, dark: bool
) -> tuple[str, str]:
    """Return a text's colour and its tint, readable on each other and on every field."""
    if dark:
        _light, chroma, hue = to_oklch(colour)
        # Browns made light turn pink; they lean to gold.
        hue += 9 if 20 < hue < 75 else 0
        colour = to_hex(0.79, min(chroma * 0.9, 0.09), hue)
    tint = mix(colour, roles["surface"], wash)
    return move_until(colour, [*fields, tint], _TEXT, darker=not dark), tint


def _chart(roles: Mapping[str, str], fields: list[str], *, dark: bool) -> dict[str, str]:
    return {
        "chart-1": roles["accent"],
        "chart-2": roles["action"],
        "chart-3": move_until(roles["edge"], fields, _MARK, darker=not dark),
        "chart-1-wash": mix(roles["accent"], roles["surface"], 0.2),
        "chart-2-wash": mix(roles["action"], roles["surface"], 0.2),
    }
