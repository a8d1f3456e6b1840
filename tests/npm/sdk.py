"""LINE's own LIFF SDK as one script, and with other hosts than LINE's in it."""

from __future__ import annotations

import re
import shutil
import subprocess

from . import FOLDER

#: Where the SDK names LINE's hosts, and which of ours stands there instead.
_HOSTS = (
    (r'"https://(?:liff|api)\."\.concat\("line\.me"', '"{line}".concat(""'),
    (r'"https://"\.concat\((\w+),"\."\)\.concat\("line\.me"', '"{line}".concat(""'),
    (r"https://(?:static|liffsdk)\.line-scdn\.net", "{network}"),
    (r"https://uts-front\.line-apps\.com", "{network}"),
)


def bundle() -> str | None:
    """Return LINE's SDK as one script; ``None`` where npm has not brought it."""
    esbuild = FOLDER / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists() or shutil.which("node") is None:
        return None
    command = [str(esbuild), str(FOLDER / "liff.mjs"), "--bundle", "--minify", "--format=iife"]
    script = subprocess.run([*command, "--log-level=error"], check=True, capture_output=True).stdout
    return script.decode()


def lead_to(script: str, *, line: str, network: str) -> str:
    """Return the SDK with these origins instead of LINE's hosts and of its network for scripts.

    :raises LookupError: the SDK names its hosts in another way now.
    """
    for pattern, origin in _HOSTS:
        script, count = re.subn(pattern, origin.format(line=line, network=network), script)
        if count == 0:
            raise LookupError(f"LINE's SDK names its hosts in another way now: {pattern}")
    return script
