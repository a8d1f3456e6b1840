"""For everybody's tests: the LINE emulator, and people who use it. Read ``plugin.py`` first.

What tests import stands here, and may be named as a pytest plugin, too; it is imported when it is
first asked for, because the package's other rooms do not need pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from .browser import LineBrowser
    from .emulator import Emulator
    from .emulator import free_port
    from .emulator import run_emulator
    from .plugin import line_chat
    from .plugin import line_clock
    from .plugin import line_emulator
    from .plugin import line_emulator_server

_HOME_OF = {
    "Emulator": "emulator",
    "LineBrowser": "browser",
    "free_port": "emulator",
    "line_chat": "plugin",
    "line_clock": "plugin",
    "line_emulator": "plugin",
    "line_emulator_server": "plugin",
    "run_emulator": "emulator",
}

__all__ = [
    "Emulator",
    "LineBrowser",
    "free_port",
    "line_chat",
    "line_clock",
    "line_emulator",
    "line_emulator_server",
    "run_emulator",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
