"""The reference of all settings, printed from :class:`Config` (``flask line settings``)."""

from __future__ import annotations

import dataclasses

from .settings import PREFIX
from .settings import Config


def settings_reference() -> str:
    """Return the reference of all settings as Markdown, the text of ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Set them in `app.config`, or in the environment as `FLASK_LINECONNECT_…` with "
        "`app.config.from_prefixed_env()`. A wrong, missing or unknown one stops the app at its "
        "start with a sentence that says how to mend it.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for field in dataclasses.fields(Config):
        required = field.default is dataclasses.MISSING
        default = "required" if required else f"`{field.default!r}`"
        lines.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {field.metadata['doc']} |")
    return "\n".join(lines) + "\n"
