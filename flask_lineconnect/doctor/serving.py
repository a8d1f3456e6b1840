"""How the shop is served: cookies, host names, the proxy before it, what was put on our pages.

The shop is asked at its public address, as a customer's phone would, how a request arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin
from urllib.parse import urlsplit

from werkzeug.sansio.utils import host_is_trusted

from ..config.cookies import check_session_cookie
from ..errors import ConfigError
from ..errors import LineApiError
from ..state import LineState
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import unasked
from .findings import wrong
from .health import question
from .visit import Visit

#: How long a person may be away at LINE; as long as ``login/flow.py`` waits.
LOGIN_LIFE = timedelta(minutes=10)
_PROXY = (
    "set `app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)` with "
    "the number of your proxies, and let the proxy send X-Forwarded-For, -Proto and -Host"
)


def _session_cookie(visit: Visit) -> Said:
    values, config = visit.line.app.config, visit.line.config
    try:
        check_session_cookie(values, base_url=config.base_url, url_prefix=config.url_prefix)
    except ConfigError as error:
        what, _, mend = str(error).partition(". ")
        return wrong(what, mend)
    if visit.line.app.permanent_session_lifetime < LOGIN_LIFE:
        return doubtful(
            "PERMANENT_SESSION_LIFETIME is shorter than a login at LINE may take, ten minutes",
            "make it longer",
        )
    return fine("the session's cookie comes back from LINE")


def _host_names(visit: Visit) -> Said:
    app, base = visit.line.app, urlsplit(visit.line.config.base_url)
    trusted = app.config.get("TRUSTED_HOSTS")
    if trusted and not host_is_trusted(base.netloc, trusted):
        return wrong(
            f"TRUSTED_HOSTS leaves out {base.netloc} of LINECONNECT_BASE_URL, so every request of "
            "customers and of LINE is answered 400",
            f"add {base.hostname} to TRUSTED_HOSTS",
        )
    name = app.config.get("SERVER_NAME")
    is_strict = app.url_map.host_matching or app.subdomain_matching
    if name and is_strict and not f".{base.netloc}".endswith(f".{name}"):
        return wrong(
            f"SERVER_NAME is {name} and LINECONNECT_BASE_URL is at {base.netloc}: no page is found",
            "set both to the host that customers use",
        )
    return fine(f"the app takes requests for {base.netloc}")


def _public_address(visit: Visit) -> Said:
    try:
        answer = _health(visit)
    except LineApiError as error:
        word = str(error).rpartition(": ")[2]
        if "SSL" in word:
            return wrong(
                f"the certificate of {visit.line.config.base_url} is not trusted",
                "let the server send a certificate for that host with its whole chain",
            )
        return unasked(
            f"nothing answered at {visit.line.config.base_url} ({word[:80]})",
            "begin the server, or run this where the shop's public address can be reached",
        )
    mend = "let LINECONNECT_BASE_URL and LINECONNECT_URL_PREFIX say where this shop is"
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return _leads_on(visit, answer.headers.get("Location", ""))
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return wrong(
            f"something before the shop asks for a password or a login (status {answer.status})",
            f"let what guards the whole site past {visit.line.config.url_prefix}",
        )
    if answer.status == HTTPStatus.NOT_FOUND or not answer.content.get("status"):
        text = f"{visit.line.url_for('lineconnect.health')} is no page of this shop"
        return wrong(f"{text} (status {answer.status}): another program answers there", mend)
    if "seen" not in answer.content:
        return wrong(
            "the shop at LINECONNECT_BASE_URL has another SECRET_KEY than this command: it is "
            "another shop, or its processes do not share one",
            "set the same SECRET_KEY for all processes",
        )
    if answer.status != HTTPStatus.OK:
        failing = answer.content.get("failing")
        names = ", ".join(map(str, failing)) if isinstance(failing, list) else "something"
        return wrong(f"the running shop says that it is ill: {names}", "look into its log")
    return fine(f"the shop answers at {visit.line.config.base_url}")


def _leads_on(visit: Visit, location: str) -> Said:
    config = visit.line.config
    asked = urlsplit(visit.line.url_for("lineconnect.health"))
    to = urlsplit(urljoin(asked.geturl(), location))
    if (to.netloc, to.path) == (asked.netloc, asked.path):
        text = f"{config.base_url} leads to itself: behind the proxy the app takes https for http"
        return wrong(text, _PROXY)
    if (to.scheme, to.netloc) == (asked.scheme, asked.netloc):
        return wrong(
            f"the shop leads everybody on to {to.path}, LINE's webhooks too, which follow nothing",
            f"let what guards the whole app past the endpoints lineconnect.… ({config.url_prefix})",
        )
    return wrong(
        f"{config.base_url} leads on to {to.scheme}://{to.hostname}, and LINE's webhooks follow "
        "none",
        "set LINECONNECT_BASE_URL to the address that answers itself",
    )


def _proxy(visit: Visit) -> Said | None:
    seen = _seen(visit)
    if seen is None:
        return None
    base = urlsplit(visit.line.config.base_url)
    if seen.get("scheme") != base.scheme:
        text = f"the app takes itself for {seen.get('scheme')}, and customers come by {base.scheme}"
        return wrong(f"{text}: cookies and addresses are wrong behind the proxy", _PROXY)
    if seen.get("host") != base.netloc:
        text = f"the app takes itself for {seen.get('host')}, and customers come to {base.netloc}"
        return wrong(text, _PROXY)
    if seen.get("is_forwarded") and not seen.get("is_fixed"):
        return wrong(
            "the app takes a proxy's address for the customer's: LINECONNECT_RATE_LIMIT counts all "
            "customers as one, or ProxyFix counts another number of proxies than there are",
            _PROXY,
        )
    return fine("the app sees what customers ask for")


def _path_prefix(visit: Visit) -> Said | None:
    seen, path = _seen(visit), urlsplit(visit.line.config.base_url).path
    if seen is None:
        return None
    if str(seen.get("root", "")).rstrip("/") == path.rstrip("/"):
        return fine(f"the app knows that it is below {path or '/'}")
    return wrong(
        f"the app takes itself to be below {seen.get('root') or '/'}, and LINECONNECT_BASE_URL "
        f"says {path or '/'}: logins lead to pages that are not there",
        "let the proxy send X-Forwarded-Prefix with ProxyFix(x_prefix=1), or mount the app below "
        "its path",
    )


def _page_policy(visit: Visit) -> Said | None:
    if _seen(visit) is None:
        return None
    answer = visit.own(_path(visit.line, "lineconnect.card"))
    if answer.status != HTTPStatus.OK:
        return wrong(
            f"the page that opens inside LINE is answered with {answer.status}",
            "let what guards the whole site (a password, a firewall, a login) past "
            f"{visit.line.config.url_prefix}",
        )
    policy = answer.headers.get("Content-Security-Policy", "")
    mend = f"leave {visit.line.config.url_prefix} out of what the proxy or the whole app adds"
    if "," in policy or "'nonce-" not in policy:
        text = "a Content-Security-Policy that is not ours lies on our pages: LINE's program fails"
        return wrong(text, mend)
    if "no-referrer" in answer.headers.get("Referrer-Policy", ""):
        text = "Referrer-Policy no-referrer lies on our pages: Flask-WTF refuses their forms"
        return wrong(text, mend)
    if answer.headers.get("Cross-Origin-Embedder-Policy"):
        return wrong("Cross-Origin-Embedder-Policy lies on our pages: LINE's program fails", mend)
    return fine("our pages have our headers alone")


def _seen(visit: Visit) -> Mapping[str, Any] | None:
    """Return how a request arrives; ``None`` where ``public-address`` tells what hinders that."""
    try:
        seen = _health(visit).content.get("seen")
    except LineApiError:
        return None
    return seen if isinstance(seen, dict) else None


def _health(visit: Visit) -> Any:
    line = visit.line
    return visit.own(_path(line, "lineconnect.health", look=question(line)))


def _path(line: LineState, endpoint: str, **values: str) -> str:
    base = urlsplit(line.config.base_url)
    return line.url_for(endpoint, **values).removeprefix(f"{base.scheme}://{base.netloc}")


CHECKS = (
    Check("session-cookie", _session_cookie),
    Check("host-names", _host_names),
    Check("public-address", _public_address, asks=True),
    Check("proxy", _proxy, asks=True),
    Check("path-prefix", _path_prefix, asks=True),
    Check("page-policy", _page_policy, asks=True),
)
