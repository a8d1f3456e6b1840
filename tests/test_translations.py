"""Every text is translated, and the compiled catalogues are those of the sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
#: Mapping file, the folder it is meant for, and the catalogue.
EXTENSION = (ROOT / "babel.cfg", ROOT, "flask_lineconnect/translations", "lineconnect")
DEMO = (ROOT / "demo_shop/babel.cfg", ROOT / "demo_shop", "demo_shop/translations", "messages")
EMULATOR = (
    ROOT / "flask_lineconnect/emulator/translations/babel.cfg",
    ROOT / "flask_lineconnect/emulator",
    "flask_lineconnect/emulator/translations",
    "emulator",
)


CONSOLE = (
    ROOT / "flask_lineconnect/console/translations/babel.cfg",
    ROOT / "flask_lineconnect/console",
    "flask_lineconnect/console/translations",
    "console",
)
#: The demo shop, the emulator and the console are for readers of Japanese and English.
CATALOGUES = [(*EXTENSION, language) for language in ("en", "zh_Hant", "th")] + [
    (*DEMO, "en"),
    (*EMULATOR, "en"),
    (*CONSOLE, "en"),
]


def _catalogue(folder: str, domain: str, language: str = "en") -> tuple[Catalog, Catalog]:
    path = ROOT / folder / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as source, path.with_suffix(".mo").open("rb") as compiled:
        return read_po(source), read_mo(compiled)


@pytest.mark.parametrize(("mapping", "root", "folder", "domain", "language"), CATALOGUES)
def test_every_text_is_translated(
    mapping: Path, root: Path, folder: str, domain: str, language: str
) -> None:
    with mapping.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    found = extract_from_dir(
        str(root), methods, options, keywords=keywords, directory_filter=_is_ours
    )
    texts = {text if isinstance(text, str) else text[0] for _f, _l, text, _c, _x in found}
    source, _compiled = _catalogue(folder, domain, language)
    translated = {m.id if isinstance(m.id, str) else m.id[0] for m in source if m.id and m.string}
    assert texts - translated == set()


def _is_ours(folder: str) -> bool:
    return Path(folder).name not in {".venv", ".git", "emulator", "build", "node_modules"}


@pytest.mark.parametrize(("_mapping", "_root", "folder", "domain", "language"), CATALOGUES)
def test_the_compiled_catalogue_is_fresh(
    _mapping: Path, _root: Path, folder: str, domain: str, language: str
) -> None:
    source, compiled = _catalogue(folder, domain, language)
    written = {str(m.id): str(m.string) for m in source if m.id and m.string}
    served = {str(m.id): str(m.string) for m in compiled if m.id}
    assert served == written


@pytest.mark.parametrize("language", ["en", "zh_Hant", "th"])
def test_translations_keep_the_variables_of_their_text(language: str) -> None:
    source, _compiled = _catalogue(EXTENSION[2], EXTENSION[3], language)
    for message in source:
        names = [
            sorted(re.findall(r"%\(\w+\)s", str(text))) for text in (message.id, message.string)
        ]
        assert names[0] == names[1] or not message.id, message.id
