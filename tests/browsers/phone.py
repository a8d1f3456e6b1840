"""What a test does with a browser of another engine, whichever it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import Protocol

#: Seconds; the browsers of one machine are slow when the other tests run beside them.
PATIENCE = 60.0
_BETWEEN_LOOKS = 0.05


class Driver(Protocol):
    """What drives a browser; scripts run as the page's own."""

    def go(self, url: str) -> None:
        """Open an address, and wait until the page is loaded, or could not be."""

    def run(self, script: str) -> Any:
        """Run the body of a function in the page; return what it returns."""

    def press(self, css: str) -> None:
        """Press what a selector finds, as a finger does."""

    def picture(self) -> bytes:
        """Return what is to be seen, as PNG."""


class Phone:
    """A person's browser; every look waits until there is what is looked for."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def open(self, url: str) -> None:
        """Open an address."""
        self._driver.go(url)

    def look(self, expression: str) -> Any:
        """Return what a JavaScript expression says in the page; a promise is waited for."""
        name = "lookedAt"
        self._driver.run(
            f"window.{name} = undefined; (async () => ({expression}))().then("
            f"(value) => {{ window.{name} = {{ value }}; }},"
            f"(error) => {{ window.{name} = {{ error: String(error) }}; }});"
        )
        found = self._until(lambda: self._driver.run(f"return window.{name};"), expression)
        assert "error" not in found, found["error"]
        return found.get("value")

    def wait_for(self, expression: str) -> Any:
        """Wait until an expression is true in the page; return what it says."""
        return self._until(lambda: self._driver.run(f"return {expression};"), expression)

    def wait_for_value(self, expression: str, wanted: object) -> None:
        """Wait until an expression, or what it promises, has a value."""
        self._until(lambda: self.look(expression) == wanted, f"{expression} is {wanted}")

    def see(self, css: str, text: str = "") -> str:
        """Wait until something is to be seen, with a text in it; return all of its text."""
        found = f"document.querySelector({json.dumps(css)})"
        is_seen = f"{found}?.checkVisibility() && {found}.textContent.includes({json.dumps(text)})"
        self.wait_for(is_seen)
        return str(self.look(f"{found}.textContent"))

    def press(self, css: str) -> None:
        """Press something, once it is to be seen."""
        self.see(css)
        self._driver.press(css)

    def picture(self, path: Path) -> bytes:
        """Leave a picture of the window."""
        picture = self._driver.picture()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)
        return picture

    def _until(self, look: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := self._try(look)):
            if time.monotonic() > deadline:
                page = self._driver.run(
                    "return location.href + '\\n' + document.body.innerText.slice(0, 800);"
                )
                raise AssertionError(f"never: {what}\n{page}")
            time.sleep(_BETWEEN_LOOKS)
        return found

    @staticmethod
    def _try(look: Callable[[], Any]) -> Any:
        try:
            return look()
        except Exception as error:
            # A page that is being left: its window, frame or document is gone by now.
            if "JavascriptE" in type(error).__name__ or "NoSuch" in type(error).__name__:
                return None
            raise
