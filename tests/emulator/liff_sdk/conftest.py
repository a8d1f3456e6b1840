"""A shop's page with LINE's real SDK or with the emulator's stand-in, in the same browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import Request
from playwright.sync_api import Route

from flask_lineconnect.testing.plugin import Emulator
from tests.emulator.serving import serving
from tests.npm import FOLDER
from tests.npm import needs
from tests.serving.routes import ask

REAL_SDK = "https://static.line-scdn.net/liff/edge/2/sdk.js"
LINE_HOSTS = re.compile(r"https://([\w-]+\.)+(line\.me|line-scdn\.net|line-apps\.com)/")
LIFF_BROWSER = (
    "Mozilla/5.0 (Linux; Android 15; V2319) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/144.0.0.0 Mobile Safari/537.36 Line/15.12.1 LIFF"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/15.12.1 LIFF"
)
#: What LINE's app gives to pages, as far as the SDK waits for it.
NATIVE_BRIDGE = "window._liff = { features: [], postMessage() {} };"
#: No browser opens `liff://` or `line://`: take down where the page wants to go.
STAY = """
navigation.addEventListener("navigate", (event) => {
  if (/^https?:/.test(event.destination.url)) return;
  event.preventDefault();
  leave(event.destination.url);
});
"""
PAGE = """<!doctype html><title>会員証</title><script src="{sdk}"></script><script>
const query = new URLSearchParams("{options}");
const config = {{ liffId: query.get("liffId") || undefined }};
if (query.has("login")) config.withLoginOnExternalBrowser = true;
window.initDone = query.has("wait") ? null : liff.init(config).then(
  () => ({{ ok: true }}),
  (error) => ({{ code: error.code, message: error.message }}),
);
</script>"""
#: What the SDK asks for; not LINE's screens, and not the SDK itself.
_API = re.compile(r"/(v2|friendship|message|liff/v\d|oauth2/v2.1(?!/_))/")
#: Awaits a LIFF call and returns its value, or the error's code and message.
TRY = """
async (call) => {
  try { return { value: await eval(`(async () => (${call}))()`) ?? null }; }
  catch (error) { return { code: error.code ?? null, message: error.message }; }
}
"""


class Shop:
    """A shop whose LIFF page runs `liff.init` when it loads."""

    def __init__(self) -> None:
        self.url = ""
        self.sdk = ""
        #: How the page calls `liff.init`: `liffId`, `login`, `wait`.
        self.options = ""


@pytest.fixture(scope="session")
def real_sdk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return LINE's real SDK as one script."""
    needs("@line/liff")
    esbuild = needs("esbuild") / "bin/esbuild"
    script = tmp_path_factory.mktemp("liff") / "liff.js"
    entry = str(FOLDER / "liff.mjs")
    command = [str(esbuild), entry, "--bundle", "--format=iife", f"--outfile={script}"]
    subprocess.run([*command, "--log-level=error"], check=True)
    return script.read_text("utf-8")


@pytest.fixture
def shop(line_emulator: Emulator) -> Iterator[Shop]:
    """Serve a shop whose LIFF endpoint is `/line/liff`."""
    found, app = Shop(), Flask(__name__)

    @app.get("/line/liff")
    @app.get("/line/liff/")
    @app.get("/line/liff/<path:_rest>")
    @app.get("/elsewhere")
    def page(_rest: str = "") -> str:
        return PAGE.format(sdk=found.sdk, options=found.options)

    with serving(app) as url:
        found.url = url
        line_emulator.set_up(base_url=url)
        yield found


class Sdk:
    """One of the two SDKs, and a browser for its pages."""

    def __init__(self, shop: Shop, emulator: Emulator, context: BrowserContext, name: str):
        self.shop, self.emulator, self.context, self.name = shop, emulator, context, name
        self.liff_id = str(emulator.settings(shop.url)["LINECONNECT_LIFF_ID"])
        self.channel_id = self.liff_id.partition("-")[0]
        self.user_id = str(emulator.users()[0]["user_id"])
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        #: Addresses for LINE's app.
        self.left_for: list[str] = []
        self.page.on("request", self._note)
        self.page.expose_function("leave", lambda url: self.left_for.append(self.plain(url)))
        self.page.add_init_script(STAY)
        self.configure()

    def configure(self, options: str = "") -> None:
        """Choose how the page calls `liff.init`."""
        self.shop.options = f"liffId={self.liff_id}&{options}" if options != "none" else ""

    def open(self, extra: str = "", wait_for: str | None = None) -> dict[str, Any]:
        """Open the LIFF URL; return what `liff.init` said on the page that it ended on."""
        self.page.goto(f"{self.emulator.url}/{self.liff_id}{extra}")
        return self.settled(wait_for)

    def open_in_app(self, extra: str = "", wait_for: str | None = None) -> dict[str, Any]:
        """Open the LIFF URL in LINE's app, as its first user."""
        url = f"https://liff.line.me/{self.liff_id}{extra}"
        door = f"{self.emulator.url}/phone/{self.user_id}/open"
        self.page.goto(f"{door}?url={url.replace('?', '%3F').replace('#', '%23')}")
        return self.settled(wait_for)

    def settled(self, wait_for: str | None = None) -> dict[str, Any]:
        """Return what `liff.init` said, once the page is the one to end on."""
        if wait_for is not None:
            self.page.wait_for_url(f"{self.shop.url}{wait_for}")
        answer: dict[str, Any] = self.page.evaluate("window.initDone")
        return answer

    def call(self, expression: str) -> dict[str, Any]:
        """Call something of LIFF; return its value or its error, without what differs by chance."""
        answer: dict[str, Any] = self.plain(self.page.evaluate(TRY, expression))
        return answer

    def log_in(self, *, allow: bool = True) -> dict[str, Any]:
        """Go through LINE's screens, and return what `liff.init` says afterwards."""
        self.page.get_by_role("button", name="佐藤 さくら").click()
        self.page.get_by_role("button", name="許可する" if allow else "キャンセル").click()
        if allow:
            self.page.get_by_role("button", name="あとで").click()
        self.page.wait_for_url(f"{self.shop.url}/**")
        return self.settled()

    def plain(self, value: Any) -> Any:
        """Return a value without the addresses of this run."""
        if isinstance(value, dict):
            return {self.plain(name): self.plain(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        if not isinstance(value, str):
            return value
        text = value.replace(self.emulator.url, "{line}").replace(self.shop.url, "{shop}")
        return LINE_HOSTS.sub("{line}/", text)

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        is_line = (
            LINE_HOSTS.match(request.url)
            if self.name == "real"
            else (request.url.startswith(self.emulator.url))
        )
        if not is_line or not _API.match(parts.path):
            return
        names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
        form = sorted({name for name, _ in parse_qsl(request.post_data or "")})
        has_token = "authorization" in request.headers
        kind = " Bearer" if has_token else ""
        names += form if "form" in request.headers.get("content-type", "") else []
        path = self.plain(parts.path).replace(self.liff_id, "{liffId}")
        self.requests.append(f"{request.method} {path} {','.join(names)}{kind}".strip())


MakeSdk = Callable[..., Sdk]


@pytest.fixture
def make_sdk(
    shop: Shop, line_emulator: Emulator, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[MakeSdk]:
    """Return a function that opens a browser with one of the two SDKs."""
    contexts: list[BrowserContext] = []

    def make(name: str, *, in_app: bool = False, agent: str = LIFF_BROWSER) -> Sdk:
        user_agent = agent if in_app else None
        context = browser.new_context(locale="ja-JP", user_agent=user_agent)
        contexts.append(context)
        if name == "real":
            shop.sdk = REAL_SDK
            lead_to_emulator(context, line_emulator.url, request.getfixturevalue("real_sdk"))
        else:
            shop.sdk = f"{line_emulator.url}/liff/edge/2/sdk.js"
        if in_app:
            context.add_init_script(NATIVE_BRIDGE)
        return Sdk(shop, line_emulator, context, name)

    yield make
    for context in contexts:
        context.close()


def lead_to_emulator(context: BrowserContext, emulator_url: str, script: str) -> None:
    """Let LINE's hosts be the emulator: pages go there, calls are passed on."""

    def lead(route: Route) -> None:
        url = urlsplit(route.request.url)
        there = f"{emulator_url}{url.path}{'?' + url.query if url.query else ''}"
        if route.request.url == REAL_SDK:
            route.fulfill(body=script, content_type="text/javascript")
        elif "line-scdn" in url.netloc:
            # Extensions and texts of the SDK; it does without them.
            body = '{"languages":{}}' if url.path.endswith("manifest.json") else ""
            route.fulfill(body=body, headers={"access-control-allow-origin": "*"})
        elif route.request.is_navigation_request():
            route.fulfill(status=302, headers={"location": there})
        else:
            ask(route, url=there).fulfill(route)

    context.route(LINE_HOSTS, lead)
