"""How many messages the emulator takes on one core, beside nginx with the same client.

``python bench/emulator/run.py``; needs ``nginx`` and ``wrk`` (Debian: ``nginx-light``, ``wrk``).
The server has one core for itself, the client another; servers take turns, round by round.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from flask_lineconnect.testing.emulator import free_port

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = "0", "1"
#: Recipients of each request, by script.
LOADS = {"push": 1, "multicast": 500}
NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{
      default_type application/json;
      return 200 '{{"sentMessages":[{{"id":"461230966842064897"}}]}}';
    }}
  }}
}}
"""


@contextmanager
def serving(command: list[str], url: str) -> Iterator[str]:
    """Run a server on its core until the block ends."""
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def emulator(*options: str) -> Iterator[str]:
    """Run the emulator, without LINE's rate limits and quota."""
    port = str(free_port())
    command = [sys.executable, "-m", "flask_lineconnect.emulator", "--port", port, *options]
    with serving(command, f"http://127.0.0.1:{port}") as url:
        if "--sink" not in options:
            free = {"rate_limit_scale": None, "quota": None}
            users = [{"user_id": f"U{n:032x}", "display_name": f"{n}"} for n in range(1, 1_001)]
            friends = [{**user, "relation": "friend"} for user in users]
            setup = {"messaging_channel": free, "users": friends}
            requests.put(f"{url}/_emulator/setup", json=setup, timeout=60).raise_for_status()
        yield url


@contextmanager
def nginx() -> Iterator[str]:
    """Run nginx, which answers everything alike and looks at nothing."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(NGINX.format(folder=folder, port=port), "utf-8")
        command = ["nginx", "-c", str(configuration), "-p", folder]
        with serving(command, f"http://127.0.0.1:{port}") as url:
            yield url


SERVERS = {"nginx": nginx, "sink": lambda: emulator("--sink"), "emulator": emulator}


def measure(url: str, load: str, seconds: int) -> float:
    """Return how many requests a second a server took."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "1650000002",
        "client_secret": "fedcba9876543210fedcba9876543210",
    }
    answer = requests.post(f"{url}/oauth2/v3/token", data=form, timeout=10).json()
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", "-c32", f"-d{seconds}s"]
    done = subprocess.run(
        [*command, "-s", str(HERE / f"{load}.lua"), url],
        env={**os.environ, "LINE_TOKEN": answer.get("access_token", "none")},
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout:
        sys.exit(f"{url} refused messages:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    return float(found[1]) if found else 0.0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if missing := [name for name in ("nginx", "wrk", "taskset") if shutil.which(name) is None]:
        sys.exit(f"This benchmark needs {', '.join(missing)}.")
    print(f"{'load':10} {'server':10} {'requests/s':>12} {'recipients/s':>14} {'of nginx':>9}")
    for load, recipients in LOADS.items():
        rates: dict[str, list[float]] = {name: [] for name in SERVERS}
        for _ in range(options.rounds):
            for name, server in SERVERS.items():
                with server() as url:
                    rates[name].append(measure(url, load, options.seconds))
        best = statistics.median(rates["nginx"])
        for name, found in rates.items():
            rate = statistics.median(found)
            print(
                f"{load:10} {name:10} {rate:12,.0f} {rate * recipients:14,.0f} {rate / best:9.3f}"
            )


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"{url}/_emulator/health", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{url} did not start")


if __name__ == "__main__":
    main()
