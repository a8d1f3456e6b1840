#!/bin/sh
# Werkzeug 3.1.9 with Flask 3.1.3: no entry of TRUSTED_HOSTS ever trusts an IPv6 address.
#
# Expected: with TRUSTED_HOSTS = ["[::1]"] (or "::1") a request with "Host: [::1]:5000" is answered,
# as one with "Host: 127.0.0.1:5000" is with "127.0.0.1" in the list; the port is ignored, says the
# documentation.
# Seen: 400 for every way to write the address. Each entry is cut at its first colon to take the port
# away, so "[::1]" becomes "[" and "::1" becomes "", which equal no host.
#
# Exits with 0 while this is so, with 1 once it is not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check werkzeug==3.1.9 flask==3.1.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from flask import Flask

def status(trusted: str, host: str) -> int:
    app = Flask("shop", static_folder=None)
    app.config["TRUSTED_HOSTS"] = [trusted]
    app.add_url_rule("/", "home", lambda: "here")
    return app.test_client().get("/", headers={"Host": host}).status_code

control = status("127.0.0.1", "127.0.0.1:5000")
found = {
    (trusted, host): status(trusted, host)
    for trusted in ("[::1]", "::1", "[::1]:5000")
    for host in ("[::1]", "[::1]:5000")
}
print("127.0.0.1:", control)
for (trusted, host), seen in found.items():
    print(f"TRUSTED_HOSTS=[{trusted!r}], Host: {host}: {seen}")
sys.exit(0 if control == 200 and set(found.values()) == {400} else 1)
PYTHON
