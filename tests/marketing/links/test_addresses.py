"""Codes of tracked links: read back as they were made, and by nobody else's key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flask_lineconnect.marketing.links.addresses import DIGITS
from flask_lineconnect.marketing.links.addresses import MAX_CODE
from flask_lineconnect.marketing.links.addresses import Code
from flask_lineconnect.marketing.links.addresses import LinkAddresses
from flask_lineconnect.marketing.links.addresses import from_base62
from flask_lineconnect.marketing.links.addresses import to_base62

BASE = "https://shop.example/line/l/"
OURS = LinkAddresses(BASE, ["a secret"])
IDS = st.integers(0, 2**63 - 1)
CODES = st.builds(Code, IDS, st.none() | IDS)


def code_of(code: Code, addresses: LinkAddresses = OURS) -> str:
    """Return the text of a code."""
    return addresses.address(code).removeprefix(BASE)


@given(CODES)
def test_what_was_made_is_read(code: Code) -> None:
    text = code_of(code)
    assert OURS.read(text) == code
    assert OURS.read_address(OURS.address(code) + "?openExternalBrowser=1") == code
    assert len(text) <= MAX_CODE
    assert text.replace("-", "").isalnum()


@given(st.integers(0))
def test_numbers_are_read_back(number: int) -> None:
    assert from_base62(to_base62(number)) == number


@given(CODES, st.data())
def test_S4_5_any_changed_character_is_refused(code: Code, data: st.DataObject) -> None:
    text = code_of(code)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(DIGITS + "-_.~") | st.characters())
    if other != text[place]:
        assert OURS.read(text[:place] + other + text[place + 1 :]) is None


@given(CODES, st.data())
def test_S4_5_cut_longer_and_mixed_codes_are_refused(code: Code, data: st.DataObject) -> None:
    text = code_of(code)
    end = data.draw(st.integers(0, len(text) - 1))
    more = data.draw(st.text(DIGITS + "-", min_size=1, max_size=3))
    assert OURS.read(text[:end]) is None
    assert OURS.read(text[end + 1 :]) is None
    assert OURS.read(text[:end] + more + text[end:]) is None
    other = code_of(Code(code.link_id + 1, code.message_id))
    assert OURS.read(text[:-14] + other[-14:]) is None
    # A shared link can't be made a personal one, nor the other way round.
    assert OURS.read(text[:-14] + "-1" + text[-14:]) is None


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert OURS.read(text) is None
    assert OURS.read_address(text) is None


def test_every_single_character_of_one_code() -> None:
    text = code_of(Code(123_456, 987_654_321))
    for place, character in enumerate(text):
        for other in DIGITS + "-":
            if other != character:
                assert OURS.read(text[:place] + other + text[place + 1 :]) is None


def test_S1_3_keys_rotate_and_other_shops_links_are_foreign() -> None:
    old = code_of(Code(7, 8))
    rotated = LinkAddresses(BASE, ["a new secret", "a secret"])
    assert rotated.read(old) == Code(7, 8)
    assert OURS.read(code_of(Code(7, 8), rotated)) is None
    assert LinkAddresses(BASE, ["another shop's"]).read(old) is None


def test_codes_stay_short() -> None:
    assert len(code_of(Code(5_000))) == 18
    assert len(code_of(Code(1_000_000, 10_000_000))) <= 25
