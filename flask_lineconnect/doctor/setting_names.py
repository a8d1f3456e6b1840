"""Names that were meant for our settings and that nobody reads, in the app or the environment.

A name that begins with ``LINECONNECT_`` and is none stops the app; these begin otherwise.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ..config.settings import PREFIX
from ..config.settings import Config
from ..setting_up.env_file import PREFIX as IN_ENVIRONMENT
from .findings import Check
from .findings import Said
from .findings import fine
from .findings import wrong
from .visit import Visit

#: How alike two names are, from 0 to 1, of which one is taken for the other misspelt.
ALIKE = 0.9


KNOWN = tuple(PREFIX + field.name.upper() for field in fields(Config))


def unread(
    values: Mapping[str, Any], environ: Mapping[str, str], known: Sequence[str] = KNOWN
) -> str:
    """Return the mend of a name that nobody reads; empty where there is none.

    :param values: the app's configuration, as far as there is one.
    :param known: the settings that are looked for.
    """
    for name in values:
        meant = "" if name.startswith(PREFIX) else _meant(name, known)
        if meant and meant not in values:
            return f"{name} in app.config is no setting: name it {meant}"
    for name in environ:
        meant = _meant(name, known)
        if not meant or meant in values:
            continue
        whole = IN_ENVIRONMENT + meant
        if name != whole:
            return (
                f"{name} is in the environment, and app.config.from_prefixed_env() reads {whole}: "
                "name it so"
            )
        return (
            f"{name} is in the environment: call app.config.from_prefixed_env() before "
            "line.init_app(app)"
        )
    return ""


def _meant(name: str, known: Sequence[str]) -> str:
    plain = name.upper().removeprefix(IN_ENVIRONMENT)
    # Of the environment's many names few are worth the comparison.
    if "LINE" not in plain and "CONNECT" not in plain:
        return ""
    near = difflib.get_close_matches(plain, known, n=1, cutoff=ALIKE)
    return near[0] if near else ""


def _setting_names(visit: Visit) -> Said:
    mend = unread(visit.line.app.config, os.environ)
    if mend:
        return wrong("a setting that was meant for LINE is not read", mend)
    return fine("no name looks like a setting and is none")


CHECKS = (Check("setting-names", _setting_names),)
