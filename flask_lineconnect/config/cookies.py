"""What Flask's session cookie must be so that a login can go to LINE and come back."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from ..errors import ConfigError

if TYPE_CHECKING:
    from .settings import Config

_SAME_SITE = {"lax", "none"}


def check_session_cookie(values: Mapping[str, Any], *, base_url: str, url_prefix: str) -> None:
    """Refuse settings of Flask's with which browsers would keep or send no session.

    :param values: Flask's configuration.
    :param base_url: the shop's own public address; ``url_prefix``: where our pages are below it.
    :raises ConfigError: a setting is one of these; it names the setting and the mend.

    Source: RFC 6265bis, sections 4.1.3 and 5.6 to 5.8; CHIPS, "Partitioned".
    """
    base = urlsplit(base_url)
    _check_same_site(values)
    _check_secure(values, base.scheme, base.hostname or "")
    _check_domain(values.get("SESSION_COOKIE_DOMAIN"), base.hostname or "")
    _check_path(values, f"{base.path}{url_prefix}")
    _check_name(values)


def _check_same_site(values: Mapping[str, Any]) -> None:
    given = values.get("SESSION_COOKIE_SAMESITE")
    if given is None or str(given).lower() in _SAME_SITE:
        return
    raise ConfigError(
        f"SESSION_COOKIE_SAMESITE is {given!r}: browsers would leave the session out when LINE "
        'leads back to the shop, and no login could end. Set it to "Lax".'
    )


def _check_secure(values: Mapping[str, Any], scheme: str, host: str) -> None:
    is_secure = bool(values.get("SESSION_COOKIE_SECURE"))
    if is_secure and scheme == "http" and not _is_loopback(host):
        raise ConfigError(
            "SESSION_COOKIE_SECURE is on, and LINECONNECT_BASE_URL is plain http: browsers would "
            "keep no session. Serve the shop over https and say so in LINECONNECT_BASE_URL, or set "
            "SESSION_COOKIE_SECURE to False while you develop."
        )
    if is_secure:
        return
    if str(values.get("SESSION_COOKIE_SAMESITE") or "").lower() == "none":
        raise ConfigError(
            'SESSION_COOKIE_SAMESITE is "None" without SESSION_COOKIE_SECURE: browsers would keep '
            'no session. Set SESSION_COOKIE_SAMESITE to "Lax", or SESSION_COOKIE_SECURE to True.'
        )
    if values.get("SESSION_COOKIE_PARTITIONED"):
        raise ConfigError(
            "SESSION_COOKIE_PARTITIONED is on without SESSION_COOKIE_SECURE: browsers would keep "
            "no session. Set SESSION_COOKIE_SECURE to True, or SESSION_COOKIE_PARTITIONED to False."
        )


def _check_domain(domain: object, host: str) -> None:
    if not domain:
        return
    wanted = str(domain).lower().lstrip(".")
    if host != wanted and (not host.endswith(f".{wanted}") or _is_address(host)):
        raise ConfigError(
            f"SESSION_COOKIE_DOMAIN is {domain!r}, and LINECONNECT_BASE_URL is at {host}: browsers "
            "would keep no session. Leave SESSION_COOKIE_DOMAIN out, or name that host."
        )


def _check_path(values: Mapping[str, Any], pages: str) -> None:
    # Flask's own rule: without a path of its own the cookie is for the app's root.
    name = "SESSION_COOKIE_PATH" if values.get("SESSION_COOKIE_PATH") else "APPLICATION_ROOT"
    path = str(values.get(name) or "/")
    if not f"{pages.rstrip('/')}/".startswith(f"{path.rstrip('/')}/"):
        raise ConfigError(
            f"{name} is {path!r}, so the session is not for the pages of LINE's login at {pages}. "
            "Set SESSION_COOKIE_PATH to a path above them, such as '/', or put the path of the "
            "shop into LINECONNECT_BASE_URL."
        )


def _check_name(values: Mapping[str, Any]) -> None:
    """Check what the browser demands of a cookie by its name alone."""
    name = str(values.get("SESSION_COOKIE_NAME") or "")
    is_host, is_secure = name.startswith("__Host-"), name.startswith("__Secure-")
    if (is_host or is_secure) and not values.get("SESSION_COOKIE_SECURE"):
        raise ConfigError(
            f"SESSION_COOKIE_NAME is {name!r}, which browsers take with SESSION_COOKIE_SECURE "
            "only; set that to True, or choose another name."
        )
    path = values.get("SESSION_COOKIE_PATH") or values.get("APPLICATION_ROOT") or "/"
    if is_host and (values.get("SESSION_COOKIE_DOMAIN") or path != "/"):
        raise ConfigError(
            f"SESSION_COOKIE_NAME is {name!r}, which browsers take without SESSION_COOKIE_DOMAIN "
            "and with SESSION_COOKIE_PATH '/' only; set them so, or choose another name."
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Tell whether browsers take a host for this machine, which needs no TLS."""
    if _is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def protect_session_cookie(app: Flask, config: Config) -> None:
    """Let the cookie that holds state and nonce come back from LINE, and go nowhere else."""
    if app.config["SESSION_COOKIE_SAMESITE"] is None:
        app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    if config.base_url.startswith("https://") and not (app.debug or app.testing):
        app.config["SESSION_COOKIE_SECURE"] = True
    if config.remember:
        # A slow answer would bring back who was logged in before; see login/last_login.py.
        app.config["SESSION_REFRESH_EACH_REQUEST"] = False


def watch_session_cookie(app: Flask, config: Config) -> None:
    """Check the cookie now, and at the first request what others have made of it since."""
    check = partial(
        check_session_cookie,
        app.config,
        base_url=config.base_url,
        url_prefix=config.url_prefix,
    )
    check()
    is_checked = False

    def check_once() -> None:
        nonlocal is_checked
        if not is_checked:
            check()
            is_checked = True

    app.before_request(check_once)
