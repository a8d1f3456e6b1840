"""Whatever LINE's hosts answer, a login is done or refused with its step: generated answers."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from flask_lineconnect.config.settings import Config
from flask_lineconnect.errors import LineApiError
from flask_lineconnect.errors import Refused
from flask_lineconnect.liff.id_token import COOL_DOWN
from flask_lineconnect.liff.id_token import LiffTokens
from flask_lineconnect.line_api.http import LineHttp
from flask_lineconnect.login.oidc import LineLogin
from flask_lineconnect.login.tokens import LoginTokens
from flask_lineconnect.state import utcnow
from tests.small_shop import SETTINGS

CHANNEL, SECRET = "1650000001", SETTINGS["LINECONNECT_LOGIN_CHANNEL_SECRET"]
KEY = ECKey.generate_key("P-256", parameters={"kid": "k1"})
LISTED = {**KEY.as_dict(private=False), "kid": "k1", "alg": "ES256", "use": "sig"}

odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\0", "\ud800", "\u202e", 10**400, -(10**18), 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
GENERATED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Host:
    """One of LINE's hosts, which answers with what it is given."""

    url: str
    answer: bytes = b"{}"
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def say(self, content: object) -> None:
        """Answer with an object from now on."""
        self.answer = json.dumps(content).encode(errors="surrogatepass")


@pytest.fixture
def host() -> Iterator[Host]:
    """Run a host of our own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            time.sleep(made.seconds)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(made.answer)))
            self.end_headers()
            self.wfile.write(made.answer)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Host(f"http://127.0.0.1:{server.server_port}")
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def login(host: Host) -> LineLogin:
    """Return LINE Login at that host."""
    emulated = {**SETTINGS, "LINECONNECT_EMULATOR_URL": host.url}
    return LineLogin(Config.from_mapping(emulated), LineHttp(host.url, 2.0))


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": "https://access.line.me", "sub": "U" + "a" * 32, "aud": CHANNEL, "iat": now}
    return {**claims, "exp": now + 3600, "nonce": "n", "name": "佐藤", **changes}


def _web_token(claims: dict[str, Any]) -> str:
    """Sign claims as LINE would, also such as no library puts into a token."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(SECRET.encode(), signed, "sha256")
    return f"{signed.decode()}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _come_back(login: LineLogin) -> Any:
    return login.fetch_identity(
        "code", redirect_uri="https://shop.example/", nonce="n", code_verifier="v"
    )


def _is_taken_or_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except (Refused, LineApiError):
        return False
    return True


def test_a_right_answer_is_taken(login: LineLogin, host: Host) -> None:
    host.say({"access_token": "t", "expires_in": 30, "id_token": _web_token(_claims())})
    identity, answer = _come_back(login)
    assert identity.display_name == "佐藤"
    assert LoginTokens.of(answer, now=utcnow()).access_token == "t"


@given(answer=odd_values)
@GENERATED
def test_S1_5_odd_answers_of_the_token_endpoint_are_refusals(
    login: LineLogin, host: Host, answer: object
) -> None:
    host.say(answer)
    assert not _is_taken_or_refused(lambda: _come_back(login))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "", "<html>", "\xff", "1e999"])
def test_S1_5_so_are_texts_that_are_no_answers(login: LineLogin, host: Host, text: str) -> None:
    host.answer = text.encode("latin-1")
    assert not _is_taken_or_refused(lambda: _come_back(login))


@given(
    name=st.sampled_from(["iss", "sub", "aud", "iat", "exp", "nonce", "name", "picture", "email"]),
    value=odd_values,
)
@GENERATED
def test_S2_5_odd_claims_are_refused_or_left_out(
    login: LineLogin, host: Host, name: str, value: object
) -> None:
    host.say({"access_token": "t", "id_token": _web_token(_claims(**{name: value}))})
    _is_taken_or_refused(lambda: _come_back(login))


@given(field=st.sampled_from(["access_token", "refresh_token", "expires_in"]), value=odd_values)
@GENERATED
def test_S1_5_odd_tokens_are_none(field: str, value: object) -> None:
    tokens = LoginTokens.of({field: value}, now=utcnow())
    for token in (tokens.access_token, tokens.refresh_token):
        assert token.isascii()
        assert token.isprintable() or token == ""


@given(answer=odd_values)
@GENERATED
def test_S1_5_friendship_is_known_or_unknown(login: LineLogin, host: Host, answer: object) -> None:
    host.say({"friendFlag": answer})
    assert login.is_friend("t") in {True, False, None}
    host.say(answer)
    assert login.is_friend("t") is None


@given(answer=odd_values)
@GENERATED
def test_S2_6_odd_lists_of_keys_are_refusals(host: Host, answer: object) -> None:
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 2.0))
    token = _liff_token()
    host.say(answer)
    assert not _is_taken_or_refused(lambda: tokens.verify(token))
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 2.0))
    host.say({"keys": answer})
    assert not _is_taken_or_refused(lambda: tokens.verify(token))


@given(odd=st.lists(odd_values, max_size=3), part=st.sampled_from(["x", "y", "kid", "kty", "crv"]))
@GENERATED
def test_S2_6_one_malformed_key_costs_no_other(host: Host, odd: list[object], part: str) -> None:
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 2.0))
    broken = [{**LISTED, "kid": "k0", part: value} for value in odd]
    host.say({"keys": [*odd, *broken, LISTED]})
    assert tokens.verify(_liff_token()).line_user_id == "U" + "a" * 32


@pytest.mark.hurried
def test_S2_6_a_known_key_waits_for_nobody(host: Host) -> None:
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 5.0))
    host.say({"keys": [LISTED]})
    tokens.verify(_liff_token())
    tokens.monotonic = lambda: time.monotonic() + COOL_DOWN + 1
    host.seconds = 4.0
    unknown = _liff_token(kid="k9")
    slow = threading.Thread(target=_is_taken_or_refused, args=[lambda: tokens.verify(unknown)])
    slow.start()
    while len(host.asked) < 2:
        time.sleep(0.01)
    tokens.verify(_liff_token())
    assert slow.is_alive()
    slow.join()


@pytest.mark.hurried
@pytest.mark.parametrize("is_any_known", [True, False])
def test_S12_nobody_waits_for_long_while_another_one_fetches_the_keys(
    host: Host, is_any_known: bool
) -> None:
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 5.0))
    if is_any_known:
        host.say({"keys": [LISTED]})
        tokens.verify(_liff_token())
    tokens.monotonic = lambda: time.monotonic() + COOL_DOWN + 1
    asked, host.seconds = len(host.asked), 4.0
    unknown = _liff_token(kid="k9")
    slow = threading.Thread(target=_is_taken_or_refused, args=[lambda: tokens.verify(unknown)])
    slow.start()
    while len(host.asked) == asked:
        time.sleep(0.01)
    with pytest.raises(Refused if is_any_known else LineApiError):
        tokens.verify(unknown)
    assert slow.is_alive()
    slow.join()


def test_S2_6_a_failed_fetch_cools_down_too(host: Host) -> None:
    now = [0.0]
    tokens = LiffTokens(CHANNEL, LineHttp(host.url, 2.0), monotonic=lambda: now[0])
    host.answer = b"<html>"
    for _again in range(3):
        with pytest.raises(LineApiError):
            tokens.verify(_liff_token())
    assert len(host.asked) == 1
    now[0] += COOL_DOWN + 1
    host.say({"keys": [LISTED]})
    tokens.verify(_liff_token())
    # Keys that are known outlive a fetch that fails.
    now[0] += COOL_DOWN + 1
    host.answer = b"{}"
    with pytest.raises(Refused):
        tokens.verify(_liff_token(kid="k9"))
    tokens.verify(_liff_token())


def _liff_token(kid: str = "k1") -> str:
    return jwt.encode({"alg": "ES256", "kid": kid}, _claims(), KEY, ["ES256"])
