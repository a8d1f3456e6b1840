"""Which font writes which sign of a receipt: customers' names come in every script.

The built-in Japanese font has no accents and no Thai, and draws nothing for them, or blanks around
them. Each run of such signs is written in the first font that has them: Noto Sans and Noto Sans
Thai, which come with the extra ``receipt``, or reportlab's built-in Chinese and Korean ones.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import groupby
from xml.sax.saxutils import escape

logger = logging.getLogger(__name__)

JAPANESE = "HeiseiKakuGo-W5"
#: Fonts that are Python packages, with the file in each.
_PACKAGED = {
    "fontpkg_noto_sans": "NotoSans[wdth,wght].ttf",
    "fontpkg_noto_sans_thai": "NotoSansThai[wdth,wght].ttf",
}
#: reportlab's fonts that need no file, with a codec that holds about what they draw.
#: Source: reportlab's user guide, "Asian font support".
_BUILT_IN = {JAPANESE: "cp932", "MSung-Light": "cp950", "STSong-Light": "gbk"}
_BUILT_IN |= {"HYSMyeongJo-Medium": "cp949"}
_SPACES = re.compile(r"(\s+)")
#: What printers set for a sign that they have not.
_GETA = "〓"


def font_named(path: str | None) -> str:
    """Return the name of a receipt's font after making it known to reportlab.

    :param path: of a TrueType font; ``None``: the built-in Japanese one.
    """
    if path is None:
        return _built_in(JAPANESE)
    _make_known(path)
    return path


def marked(text: str, font: str) -> str:
    """Return a text as reportlab's markup, each run of signs in a font that has them."""
    parts = []
    words = _SPACES.split(unicodedata.normalize("NFC", text))
    fonts = ((sign, name) for word in words for sign, name in _fonts_of(word, font))
    for name, run in groupby(fonts, key=lambda pair: pair[1]):
        signs = "".join(sign for sign, _name in run)
        if name is None:
            logger.warning(
                "a receipt has signs that none of its fonts draws (%s); give Issuer.font the path "
                "of a TrueType font that has them",
                unicodedata.name(signs[0], "unnamed"),
            )
            parts.append(_GETA * len(signs))
        elif name == font:
            parts.append(escape(signs))
        else:
            parts.append(f'<font name="{name}">{escape(signs)}</font>')
    return "".join(parts)


def _fonts_of(word: str, font: str) -> list[tuple[str, str | None]]:
    """Return each sign of a word with its font: one for the whole word if one has it."""
    fonts = [_font_of(sign, font) for sign in word]
    others = {name for name in fonts if name != font}
    for other in others - {None}:
        if all(_has(str(other), sign) for sign in word):
            return [(sign, other) for sign in word]
    return list(zip(word, fonts, strict=True))


@lru_cache(maxsize=4_096)
def _font_of(sign: str, font: str) -> str | None:
    """Return the first font that has a sign, ``None`` if there is none."""
    if _has(font, sign):
        return font
    for package, file in _PACKAGED.items():
        if find_spec(package) is None:
            continue
        name, path = file.partition("[")[0], str(files(package) / "files" / file)
        _make_known(path, name)
        if _has(name, sign):
            return name
    return next((_built_in(name) for name in _BUILT_IN if _has(name, sign)), None)


def _has(font: str, sign: str) -> bool:
    """Tell whether a font that reportlab knows has a sign."""
    if font not in _BUILT_IN:
        from reportlab.pdfbase import pdfmetrics

        glyphs = pdfmetrics.getFont(font).face.charToGlyph  # type: ignore[attr-defined]  # TrueType
        return ord(sign) in glyphs
    try:
        sign.encode(_BUILT_IN[font])
    except UnicodeEncodeError:
        return False
    return True


def _built_in(name: str) -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name


def _make_known(path: str, name: str | None = None) -> None:
    """Make a TrueType font known to reportlab, by a name or by its path."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    name = name or path
    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(name, path))
