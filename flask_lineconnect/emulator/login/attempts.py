"""One browser's attempt to log in: what the authorize request asked for, and how far it is.

Source: LINE Login v2.1 reference, "Authorization request"; LIFF's authorize as seen on the wire.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from ..platform import Platform
from ..world import LiffApp

SCOPES = {"openid", "profile", "email"}
RESPONSE_MODES = {"query", "form_post", "query.jwt", "form_post.jwt", "jwt"}
#: Tickets that are remembered; the oldest go first.
MAX_TICKETS = 500
#: A SHA-256 digest in base64url without padding.
_CHALLENGE = re.compile(r"[\w-]{43}", re.ASCII)
#: Nine digits of seconds are 31 years.
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)

Args = MultiDict[str, str]


@dataclass
class Attempt:
    """One browser on its way through the screens."""

    client_id: str
    redirect_uri: str
    state: str | None = None
    scope: list[str] = field(default_factory=list)
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: str = ""
    bot_prompt: str | None = None
    max_age: int | None = None
    response_mode: str = "query"
    may_auto_login: bool = True
    ui_locales: str = ""
    liff_id: str | None = None
    user_id: str | None = None
    amr: list[str] = field(default_factory=list)
    is_email_granted: bool = False
    #: What ``friendship_status_changed`` will say; ``None`` while there was nothing to answer.
    friendship_changed: bool | None = None


class Refusal(Exception):
    """An attempt ends with an error that the site is told."""

    def __init__(self, attempt: Attempt, error: str, description: str):
        super().__init__(error)
        self.attempt, self.error, self.description = attempt, error, description


def web_attempt(line: Platform, args: Args) -> Attempt:
    """Return the attempt that an authorize request begins.

    :raises BadRequest: channel or address are not known, so that nobody can be told.
    :raises Refusal: another parameter is wrong.
    """
    channel = line.world.login_channel
    if args.get("client_id") != channel.id:
        raise BadRequest("Invalid client_id value.")
    redirect_uri = args.get("redirect_uri", "")
    if not any(_is_registered(redirect_uri, known) for known in channel.callback_urls):
        raise BadRequest(
            "Invalid redirect_uri value. Check if it is registered in a LINE developers site."
        )
    # Filled up step by step: an error must already know how to go back, and with which state.
    attempt = Attempt(channel.id, redirect_uri, state=args.get("state") or None)
    mode = args.get("response_mode", "query")
    if mode not in RESPONSE_MODES:
        raise _invalid(attempt, "response_mode is invalid.")
    attempt.response_mode = mode
    attempt.scope = list(dict.fromkeys(args.get("scope", "").split()))
    _check_web(attempt, args, may_ask_for_email=channel.may_ask_for_email)
    return replace(
        attempt,
        nonce=args.get("nonce"),
        code_challenge=_challenge(attempt, args),
        prompt=args.get("prompt", ""),
        bot_prompt=args.get("bot_prompt"),
        max_age=_max_age(attempt, args),
        may_auto_login=args.get("disable_auto_login") != "true",
        ui_locales=args.get("ui_locales", ""),
    )


def liff_attempt(line: Platform, args: Args) -> Attempt:
    """Return the attempt that ``liff.login()`` begins.

    :raises BadRequest: app or address are not known, so that nobody can be told.
    :raises Refusal: another parameter is wrong.
    """
    app = line.world.liff_apps.get(args.get("app_id", ""))
    if app is None or not app.endpoint_url:
        raise BadRequest("Invalid app_id value.")
    redirect_uri = args.get("redirect_uri") or app.endpoint_url
    if not is_under(redirect_uri, app):
        raise BadRequest("Invalid redirect_uri value. It must begin with the endpoint URL.")
    attempt = Attempt(
        client_id=line.world.login_channel.id,
        redirect_uri=redirect_uri,
        state=args.get("state") or None,
        scope=list(app.scope),
        bot_prompt=None if app.bot_prompt == "none" else app.bot_prompt,
        liff_id=app.liff_id,
    )
    if args.get("response_type") != "code":
        raise Refusal(attempt, "UNSUPPORTED_RESPONSE_TYPE", "response_type must be code.")
    attempt.code_challenge = _challenge(attempt, args)
    if attempt.code_challenge is None:
        raise _invalid(attempt, "code_challenge is required.")
    return attempt


def make_ticket(line: Platform, attempt: object) -> str:
    """Keep what a screen is for while it is shown; return what its form must send back."""
    ticket = secrets.token_urlsafe(24)
    with line.lock:
        line.tickets[ticket] = attempt
        while len(line.tickets) > MAX_TICKETS:
            del line.tickets[next(iter(line.tickets))]
    return ticket


def take_ticket(line: Platform, ticket: str) -> Attempt:
    """Return the attempt behind a form, which is good for one answer.

    :raises BadRequest: it was answered already, or there never was one.
    """
    with line.lock:
        attempt = line.tickets.pop(ticket, None)
    if not isinstance(attempt, Attempt):
        raise BadRequest("This screen was used already. Start the login again.")
    return attempt


def is_under(url: str, app: LiffApp) -> bool:
    """Tell whether an address is a LIFF app's endpoint URL or below; queries do not count."""
    try:
        given, endpoint = urlsplit(url), urlsplit(app.endpoint_url)
    except ValueError:
        return False
    is_same_origin = (given.scheme, given.netloc) == (endpoint.scheme, endpoint.netloc)
    root = endpoint.path.rstrip("/")
    is_below = given.path.rstrip("/") == root or given.path.startswith(f"{root}/")
    return is_same_origin and is_below and _is_plain(url)


def _is_registered(url: str, known: str) -> bool:
    """Tell whether an address is a registered one, or one plus more query parameters."""
    try:
        a, b = urlsplit(url), urlsplit(known)
    except ValueError:
        return False
    is_same = (a.scheme, a.netloc, a.path, a.fragment) == (b.scheme, b.netloc, b.path, "")
    has_query = set(_pairs(b.query)) <= set(_pairs(a.query))
    return is_same and has_query and _is_plain(url)


def _is_plain(url: str) -> bool:
    """Tell whether an address can stand in a header as it is; urlsplit drops line breaks."""
    return url.isprintable() and " " not in url


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _check_web(attempt: Attempt, args: Args, *, may_ask_for_email: bool) -> None:
    if args.get("response_type") != "code":
        raise Refusal(attempt, "UNSUPPORTED_RESPONSE_TYPE", "response_type must be code.")
    scope = set(attempt.scope)
    is_useful = bool(scope & {"openid", "profile"})
    is_odd = "email" in scope and not ("openid" in scope and may_ask_for_email)
    if not is_useful or not scope <= SCOPES or is_odd:
        raise Refusal(attempt, "INVALID_SCOPE", "The requested scope is invalid.")
    if not attempt.state:
        raise _invalid(attempt, "state is required.")
    for name, values in (
        ("prompt", {"none", "login", "consent"}),
        ("bot_prompt", {"normal", "aggressive"}),
        ("disable_auto_login", {"true", "false"}),
        ("switch_amr", {"true", "false"}),
        ("initial_amr_display", {"lineqr"}),
    ):
        if name in args and args[name] not in values:
            raise _invalid(attempt, f"{name} is invalid.")


def _challenge(attempt: Attempt, args: Args) -> str | None:
    challenge, method = args.get("code_challenge"), args.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256":
        raise _invalid(attempt, "code_challenge_method must be S256.")
    if challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise _invalid(attempt, "code_challenge is invalid.")
    return challenge


def _max_age(attempt: Attempt, args: Args) -> int | None:
    text = args.get("max_age")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise _invalid(attempt, "max_age is invalid.")
    return int(text)


def _invalid(attempt: Attempt, description: str) -> Refusal:
    return Refusal(attempt, "INVALID_REQUEST", description)
