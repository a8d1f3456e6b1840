"""Parts of owners' messages: words by language, buttons, addresses; for ``drafts.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import TypeAlias
from urllib.parse import urlsplit

from ..errors import InvalidMessage
from ..errors import UsageError
from .limits import THIS_MACHINE
from .limits import utf16_length
from .objects import JsonObject
from .word_filters import Manner
from .wording import Variables
from .wording import Wording

#: Of an action below a text, and of a button in a Flex message; LINE counts what is read as one
#: sign, and these counts are never smaller.
MAX_REPLY_LABEL, MAX_BUTTON_LABEL = 20, 40
MAX_URI = 1_000
MAX_REPLY_TEXT = 300
#: How addresses begin that open a page inside LINE, ``liff:/orders``.
LIFF = "liff:"

#: One wording for all, or one for each language; the first stands in for others.
Texts: TypeAlias = str | Mapping[str, str]


class InvalidDraft(UsageError):
    """A message that an owner wrote can't be sent.

    :ivar place: where in it, such as ``text.en``.
    """

    def __init__(self, message: str, *, place: str):
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class Words:
    """Wordings of one text by language."""

    by_language: tuple[tuple[str, Wording], ...]

    @classmethod
    def read(cls, texts: Texts, variables: Variables, place: str) -> Words:
        """Read what an owner wrote.

        :raises InvalidDraft: nothing is written, or a value is named that there is not.
        """
        given = {"": texts} if isinstance(texts, str) else dict(texts)
        if not given:
            raise InvalidDraft("no text is written", place=place)
        found = []
        for language, source in given.items():
            where = f"{place}.{language}" if language else place
            if not isinstance(source, str) or not source.strip():
                raise InvalidDraft("no text is written", place=where)
            try:
                found.append((language, Wording.read(source, variables)))
            except UsageError as error:
                raise InvalidDraft(str(error), place=where) from None
        return cls(tuple(found))

    def render(self, values: Mapping[str, Any], manner: Manner) -> str:
        """Return the text in the reader's language."""
        return self.wording(manner.language).render(values, manner)

    def wording(self, language: str) -> Wording:
        """Return the wording in a language, in the one that it is a kind of, or else the first."""
        given = dict(self.by_language)
        base = language.partition("_")[0]
        return given.get(language) or given.get(base) or self.by_language[0][1]

    @property
    def languages(self) -> list[str]:
        """The languages that are written, apart from the one for all."""
        return [language for language, _wording in self.by_language if language]


@dataclass(frozen=True, slots=True)
class Tap:
    """A button, or a quick reply: opens an address, or writes a text into the chat."""

    label: Words
    url: Words | None = None
    text: Words | None = None

    def render(self, values: Mapping[str, Any], manner: Manner, limit: int) -> JsonObject:
        """Return LINE's action.

        :raises InvalidMessage: a text or the address is outside LINE's limits.
        """
        label = self.label.render(values, manner)
        if not label or len(label) > limit:
            raise InvalidMessage(f"label is empty or longer than {limit} characters: {len(label)}")
        if self.url is not None:
            return {"type": "uri", "label": label, "uri": address(self.url, values, manner)}
        text = (self.text or self.label).render(values, manner)
        if not text or len(text) > MAX_REPLY_TEXT:
            raise InvalidMessage(f"text is empty or longer than {MAX_REPLY_TEXT} characters")
        return {"type": "message", "label": label, "text": text}


def address(url: Words, values: Mapping[str, Any], manner: Manner) -> str:
    """Return an address with its values escaped: of the shop, of a page inside LINE, or whole.

    :raises InvalidMessage: it is no https:// address.
    """
    text = url.render(values, replace(manner, is_address=True, places=None)).strip()
    return absolute(text, manner)


def absolute(url: str, manner: Manner) -> str:
    """Return a whole address; ``/orders`` is the shop's page, ``liff:/orders`` one inside LINE.

    :raises InvalidMessage: it is no https:// address, or LINE's app has no page of the shop's.
    """
    if url.startswith(LIFF):
        if manner.liff_url is None:
            raise InvalidMessage("there is no page inside LINE without LINECONNECT_LIFF_ID")
        url = manner.liff_url(url.removeprefix(LIFF))
    is_own = url.startswith("/") and not url.startswith("//")
    whole = f"{manner.base_url.rstrip('/')}{url}" if is_own else url
    try:
        parts = urlsplit(whole)
    except ValueError:
        parts = urlsplit("")
    is_here = parts.scheme == "http" and parts.hostname in THIS_MACHINE
    if not is_here and (parts.scheme != "https" or not parts.hostname):
        raise InvalidMessage("an address begins neither with https:// nor with a slash")
    if utf16_length(whole) > MAX_URI:
        raise InvalidMessage(f"an address is longer than {MAX_URI} characters")
    return whole
