"""From the tap to the barcode on the screen: our card beside a page made like LINE's starter.

``pip install -e '.[test]' && PYTHONPATH=. python bench/liff/run.py``. A phone's Chromium, its
processor slowed four times and its network a 4G one, opens both pages in turns as LINE's app opens
them, with LINE's own SDK, which ``npm install`` brings to ``tests/npm``. *Cold*: nothing is kept
from before. *Warm*: the same browser again, with new credentials in the address, as with every tap
in LINE's app.

The window stands ready before the tap: its start is the app's, and costs either page the same. It
fails when a target is missed. Measured last, eight openings of each: cold 0.65 of the starter's
time (target 0.8), warm 0.22 (target a third). ``--fresh-windows`` counts the start of a window as
well, here Chromium's under Playwright with its processor slowed, some 300 ms: cold 0.72, warm 0.38.
Ours moved 67.4 kB cold, 36.3 of which are LINE's SDK, and 9.7 kB warm; the starter 41.6 and 4.5 kB.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from flask import Flask
from pages import STARTER_LIFF_ID
from pages import link_everybody
from pages import make_network
from pages import make_shop
from pages import real_sdk
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.testing.emulator import run_emulator
from flask_lineconnect.testing.plugin import free_port

#: WebPageTest's "4G": 9 Mbit/s both ways, 170 ms there and back.
NETWORK = {
    "offline": False,
    "latency": 170,
    "downloadThroughput": 9e6 / 8,
    "uploadThroughput": 9e6 / 8,
}
SLOWDOWN = 4
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "ja-JP",
    # LINE's own browser has none.
    "service_workers": "block",
    "user_agent": (
        "Mozilla/5.0 (Linux; Android 15; V2319) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/144.0.0.0 Mobile Safari/537.36 Line/15.12.1 LIFF"
    ),
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
#: What LINE's app gives to pages, and a watch that notes the first frame with bars in it.
IN_APP = """
window._liff = { features: [], postMessage() {} };
(function look() {
  const bars = document.querySelector(".lc-code-bars svg, #card svg");
  if (bars && bars.getBoundingClientRect().height > 20) {
    requestAnimationFrame(() => noteBars(String(performance.timeOrigin + performance.now())));
    return;
  }
  requestAnimationFrame(look);
})();
"""
#: At most so much of the starter's time, until the bars stand there.
TARGETS = {"cold": 0.8, "warm": 1 / 3}
#: Milliseconds after which whatever a page still does has come to its end.
SETTLED = 1_500
#: Milliseconds after which an empty window has come to rest.
READY = 500
PATIENCE = 60_000


@dataclass
class Costs:
    """What one kind of opening cost, opening by opening."""

    milliseconds: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)


@contextmanager
def serving(app: Flask, port: int) -> Iterator[str]:
    """Serve an app from a thread."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tap(emulator: Emulator, user_id: str, liff_id: str) -> str:
    """Return the address that LINE's app opens, with new credentials in it."""
    return emulator.browser(user_id).open_in_app(f"{emulator.url}/{liff_id}")


def open_once(context: BrowserContext, address: str, costs: Costs, *, is_ready: bool) -> None:
    """Open a page in a window of its own, and note what it cost until the bars stood there.

    :param is_ready: the window stands there before the tap; otherwise its start is in the time.
    """
    began = time.time() * 1_000
    page, seen = context.new_page(), list[float]()
    client = context.new_cdp_session(page)
    # Playwright's own bindings bring a script that the slowed processor would have to read first.
    client.send("Runtime.enable")
    client.send("Runtime.addBinding", {"name": "noteBars"})
    client.on("Runtime.bindingCalled", lambda call: seen.append(float(call["payload"])))
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", NETWORK)
    client.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    moved: list[float] = []
    client.on("Network.loadingFinished", lambda event: moved.append(event["encodedDataLength"]))
    if is_ready:
        page.wait_for_timeout(READY)
        began = time.time() * 1_000
    page.goto(address, wait_until="commit")
    while not seen:
        if time.time() * 1_000 > began + PATIENCE:
            raise SystemExit(f"no bars at {page.url}: {page.locator('body').inner_text()[:500]}")
        page.wait_for_timeout(20)
    costs.milliseconds.append(seen[0] - began)
    page.wait_for_timeout(SETTLED)
    costs.kilobytes.append(sum(moved) / 1_000)
    costs.requests.append(len(moved))
    page.close()


def measure(
    browser: Browser,
    emulator: Emulator,
    user_ids: list[str],
    liff_ids: dict[str, str],
    *,
    is_ready: bool,
) -> dict[tuple[str, str], Costs]:
    """Let each user open each page twice, in a browser of their own for each, in turns first."""
    costs = {(name, kind): Costs() for name in liff_ids for kind in ("cold", "warm")}
    for number, user_id in enumerate(user_ids):
        for name, liff_id in sorted(liff_ids.items(), reverse=number % 2 == 1):
            context = browser.new_context(**PHONE)
            context.add_init_script(IN_APP)
            for kind in ("cold", "warm"):
                # The first user's openings warm up the servers.
                kept = costs[name, kind] if number else Costs()
                open_once(context, tap(emulator, user_id, liff_id), kept, is_ready=is_ready)
            context.close()
    return costs


def report(costs: dict[tuple[str, str], Costs], sdk: str) -> list[str]:
    """Print medians, and our share of the starter's time; return the targets that were missed."""
    print(f"LINE's SDK: {sdk}")
    heads = f"{'ms, median':>12}{'of the starter':>16}{'target':>8}{'kB moved':>10}{'requests':>10}"
    print(f"{'':28}{heads}")
    missed = []
    for (name, kind), cost in costs.items():
        median = statistics.median(cost.milliseconds)
        ratio = median / statistics.median(costs["starter", kind].milliseconds)
        target = TARGETS[kind] if name == "ours" else None
        wanted = "" if target is None else f"{target:.3f}"
        size, count = statistics.median(cost.kilobytes), statistics.median(cost.requests)
        print(
            f"{name + ', ' + kind:28}{median:12.0f}{ratio:16.3f}{wanted:>8}"
            f"{size:10.1f}{count:10.0f}"
        )
        if target is not None and ratio > target:
            missed.append(f"{kind}: {ratio:.3f} of the starter's time, the target is {wanted}")
    return missed


def main() -> None:
    """Serve everything, measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="openings of each page and kind")
    parser.add_argument(
        "--fresh-windows", action="store_true", help="count the start of each window as well"
    )
    options = parser.parse_args()
    shop_port, network_port = free_port(), free_port()
    base_url, network_url = (f"http://127.0.0.1:{port}" for port in (shop_port, network_port))
    with run_emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        emulator.set_up(base_url=base_url)
        settings = emulator.settings(base_url)
        starter = {"liff_id": STARTER_LIFF_ID, "endpoint_url": f"{base_url}/starter"}
        emulator.set_up(liff_apps=[starter])
        real = real_sdk(emulator.url, network_url)
        script = real or requests.get(f"{emulator.url}/liff/edge/2/sdk.js", timeout=10).content
        shop = make_shop(settings, f"{network_url}/sdk.js", Path(folder))
        user_ids = link_everybody(shop, emulator, options.rounds + 1)
        liff_ids = {"starter": STARTER_LIFF_ID, "ours": settings["LINECONNECT_LIFF_ID"]}
        with (
            serving(shop, shop_port),
            serving(make_network(script), network_port),
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(
                args=FLAGS, executable_path=shutil.which("chromium")
            )
            is_ready = not options.fresh_windows
            costs = measure(browser, emulator, user_ids, liff_ids, is_ready=is_ready)
            browser.close()
    missed = report(costs, "LINE's own" if real else "the emulator's stand-in")
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
