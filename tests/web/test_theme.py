"""Six values make a look that can be read, by day and by night, whatever they are."""

from __future__ import annotations

import logging
import random
import re
from pathlib import Path

import pytest

from flask_lineconnect import UsageError
from flask_lineconnect.web.colours import contrast
from flask_lineconnect.web.colours import to_hex
from flask_lineconnect.web.colours import to_oklch
from flask_lineconnect.web.theme import STATES
from flask_lineconnect.web.theme import complete
from flask_lineconnect.web.theme import derive
from flask_lineconnect.web.theme import style_sheet

KOMOREBI = {
    "ground": "#faf6ee",
    "ink": "#33291f",
    "action": "#7a4b2a",
    "accent": "#4c6a32",
    "card": "#5b3a22",
}
FIELDS = ("ground", "surface", "raised", "sunken")
TEXTS = ("ink", "muted", "action", "accent", *STATES)
#: Every pair that stands on one another on our pages, and the least that WCAG 2.2 asks for.
PAIRS = [
    *((text, field, 4.5) for text in TEXTS for field in FIELDS),
    *((name, f"{name}-tint", 4.5) for name in ("accent", *STATES)),
    *((name, "tint", 4.5) for name in ("action", "ink", "muted")),
    ("muted", "warn-tint", 4.5),
    *((f"on-{name}", name, 4.5) for name in ("action", "bad", "card")),
    *((mark, field, 3.0) for mark in ("edge", "focus", "chart-3") for field in FIELDS[:2]),
]


def _made_up(chance: random.Random) -> dict[str, str]:
    def colour(light: tuple[float, float], chroma: float) -> str:
        return to_hex(chance.uniform(*light), chance.uniform(0, chroma), chance.uniform(0, 360))

    any_colour = {name: colour((0.3, 0.85), 0.25) for name in ("action", "accent", "card")}
    return {"ground": colour((0.6, 1), 0.1), "ink": colour((0.1, 0.6), 0.1), **any_colour}


def test_every_pair_of_any_theme_can_be_read() -> None:
    chance = random.Random(1)
    for theme in [{}, KOMOREBI, *(_made_up(chance) for _ in range(60))]:
        for dark in (False, True):
            roles = derive(complete(theme), dark=dark)
            for text, ground, least in PAIRS:
                got = contrast(roles[text], roles[ground])
                assert got >= least, (text, ground, round(got, 2), dark, theme)


def test_the_shops_own_values_stay_where_they_can_be_read() -> None:
    roles = derive(complete(KOMOREBI), dark=False)
    assert {name: roles[name] for name in KOMOREBI} == KOMOREBI
    night = derive(complete(KOMOREBI), dark=True)
    assert night["card"] == KOMOREBI["card"]
    assert to_oklch(night["ground"]).light < 0.3


def test_a_colour_goes_there_and_back() -> None:
    for colour in ("#000000", "#ffffff", "#7a4b2a", "#06c755", "#0b57d0"):
        assert to_hex(*to_oklch(colour)) == colour


def test_one_colour_alone_is_everywhere() -> None:
    whole = complete({"action": "#a13"})
    assert (whole["action"], whole["accent"], whole["card"]) == ("#aa1133",) * 3


def test_old_names_work_for_one_release_and_say_what_they_are_now() -> None:
    with pytest.warns(DeprecationWarning, match="is going away") as said:
        whole = complete(
            {"--lc-brand": "#4c6a32", "--lc-page": "#faf6ee", "--lc-on-action": "#fff"}
        )
    assert (whole["accent"], whole["ground"]) == ("#4c6a32", "#faf6ee")
    texts = " ".join(str(one.message) for one in said)
    assert "write 'accent'" in texts
    assert "leave it out" in texts


@pytest.mark.parametrize(
    "theme",
    [
        {"colour": "#ffffff"},
        {"action": "red"},
        {"action": "#12345"},
        {"heading": "serif; } body { display: none"},
    ],
)
def test_what_is_no_theme_is_refused_with_the_mend(theme: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"ShopAdapter\.theme"):
        complete(theme)


def test_what_was_moved_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sheet = style_sheet((("action", "#f0d060"),))
    assert "action" in caplog.text
    assert "prefers-color-scheme:dark" in sheet


#: What can be pressed or typed into.
_PRESSED = re.compile(r"button|input|select|textarea|\.step|\.categories a|\.lc-chips label")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
ROOT = Path(__file__).parents[2]
STYLES = [
    *(ROOT / "flask_lineconnect" / "static").glob("*.css"),
    *(ROOT / "liff" / "static").glob("*.css"),
    *(ROOT / "demo_shop" / "static").glob("*.css"),
]


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_whatever_can_be_pressed_has_an_edge_that_can_be_seen(style: Path) -> None:
    """Three to one against every ground, which hairlines are below."""
    text = re.sub(r"/\*.*?\*/", "", style.read_text("utf-8"), flags=re.DOTALL)
    for selector, declarations in _RULE.findall(text):
        if _PRESSED.search(selector):
            borders = re.findall(r"border(?:-color)?:[^;]*", declarations)
            assert not any("--lc-line" in border for border in borders), selector
