"""What LINE must be told of a shop before its app exists: found out, then done step by step.

Only what differs is changed, so that it may be repeated.

Source: LIFF server API reference; Messaging API reference, "Webhook settings".
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..config.settings import Config
from ..errors import ConfigError
from ..errors import LineApiError
from .questions import Questions

#: What a point card needs of its LIFF app.
SCOPES = ("openid", "profile")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where LINE finds the shop."""

    callback: str
    webhook: str
    card: str

    @classmethod
    def of(cls, config: Config) -> Addresses:
        """Return the addresses that an app with these settings has."""
        root = config.base_url + ("" if config.url_prefix == "/" else config.url_prefix)
        return cls(f"{root}/callback", f"{root}/webhook", f"{root}/liff")


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, or would be.

    :ivar settings: of the shop's that follow from it.
    """

    text: str
    settings: Mapping[str, str]


def check_channels(questions: Questions) -> None:
    """Refuse channels that LINE does not know, or of the wrong kind.

    :raises ConfigError: names the settings.
    :raises LineApiError: LINE did not say.
    """
    config = questions.config
    if config.login_channel_id == config.messaging_channel_id:
        raise ConfigError(
            "LINECONNECT_LOGIN_CHANNEL_ID and LINECONNECT_MESSAGING_CHANNEL_ID are the same; LINE "
            "needs a channel for each, under one provider"
        )
    for token, word in ((questions.login_token, "LOGIN"), (questions.messaging_token, "MESSAGING")):
        if token is None:
            raise ConfigError(
                f"LINE refuses LINECONNECT_{word}_CHANNEL_ID with "
                f"LINECONNECT_{word}_CHANNEL_SECRET; copy both from LINE Developers console, the "
                "channel's Basic settings"
            )
    if not questions.has_bot():
        raise ConfigError(
            f"LINECONNECT_MESSAGING_CHANNEL_ID {config.messaging_channel_id} is no Messaging API "
            "channel"
        )
    if not questions.has_apps():
        raise ConfigError(
            f"LINECONNECT_LOGIN_CHANNEL_ID {config.login_channel_id} is no LINE Login channel"
        )


def join(questions: Questions, *, is_dry: bool) -> Iterator[Step]:
    """Tell LINE where the shop is, and learn from it what the shop's settings lack.

    :param is_dry: change nothing at LINE.
    :raises LineApiError: LINE refused, or did not answer.
    """
    addresses = Addresses.of(questions.config)
    yield from _account(questions)
    yield from _liff(questions, addresses.card, is_dry=is_dry)
    yield from _webhook(questions, addresses.webhook, is_dry=is_dry)


def by_hand(questions: Questions) -> Iterator[str]:
    """Say what only LINE's web console can do, with the values to paste.

    :raises LineApiError: LINE did not answer.
    """
    addresses = Addresses.of(questions.config)
    login = "LINE Developers console, the LINE Login channel"
    messaging = "LINE Developers console, the Messaging API channel"
    account = questions.account()
    yield f"{login}, LINE Login, Callback URL: {addresses.callback}"
    yield f"{login}, Basic settings, Linked LINE Official Account: {account.get('basicId')}"
    yield f"{login}: press Developing, so that it says Published"
    if not _endpoint(questions).get("active"):
        yield f"{messaging}, Messaging API, Use webhook: on"
    yield f"{messaging}, Messaging API, Webhook redelivery: on"
    yield (
        "LINE Official Account Manager, Settings, Response settings: greeting message and "
        "auto-response off, if hooks are to speak alone"
    )


def _account(questions: Questions) -> Iterator[Step]:
    account, config = questions.account(), questions.config
    basic_id = account.get("premiumId") or account.get("basicId")
    if config.basic_id is None and isinstance(basic_id, str):
        yield Step(f"the official account is {basic_id}", {"LINECONNECT_BASIC_ID": basic_id})


def _liff(questions: Questions, card: str, *, is_dry: bool) -> Iterator[Step]:
    apps, liff_id = questions.liff_apps(), questions.config.liff_id
    if liff_id is not None and liff_id not in apps:
        raise ConfigError(
            f"the login channel has no LIFF app {liff_id}; leave LINECONNECT_LIFF_ID out, and one "
            "is made"
        )
    if liff_id is None:
        liff_id = next((one for one, app in apps.items() if _url(app) == card), None)
        if liff_id is None:
            yield _made(questions, card, is_dry=is_dry)
            return
        yield Step(f"LIFF app {liff_id} opens {card} already", {"LINECONNECT_LIFF_ID": liff_id})
    changes = _differences(apps[liff_id], card)
    if changes:
        if not is_dry:
            _tell(questions, "PUT", f"/liff/v1/apps/{liff_id}", questions.login_token, changes)
        yield Step(f"LIFF app {liff_id} opens {card}, with what a card needs", {})


def _made(questions: Questions, card: str, *, is_dry: bool) -> Step:
    text = f"a LIFF app that opens {card}"
    if is_dry:
        return Step(text, {})
    app = {
        "view": {"type": "full", "url": card},
        "description": "point card",
        "scope": list(SCOPES),
        "botPrompt": "aggressive",
    }
    answer = _tell(questions, "POST", "/liff/v1/apps", questions.login_token, app)
    liff_id = answer.get("liffId")
    if not isinstance(liff_id, str):
        raise LineApiError("LINE's answer can't be read: add a LIFF app")
    return Step(f"{text}: {liff_id}", {"LINECONNECT_LIFF_ID": liff_id})


def _differences(app: Mapping[str, Any], card: str) -> dict[str, Any]:
    """Return what of a LIFF app must be changed; what the owner chose beside it stays."""
    changes: dict[str, Any] = {}
    if _url(app) != card:
        changes["view"] = {"url": card}
    given = app.get("scope")
    scopes = [str(one) for one in given] if isinstance(given, list) else []
    missing = [one for one in SCOPES if one not in scopes]
    if missing:
        changes["scope"] = scopes + missing
    return changes


def _url(app: Mapping[str, Any]) -> object:
    view = app.get("view")
    return view.get("url") if isinstance(view, dict) else None


def _webhook(questions: Questions, url: str, *, is_dry: bool) -> Iterator[Step]:
    if _endpoint(questions).get("endpoint") == url:
        return
    if not is_dry:
        path = "/v2/bot/channel/webhook/endpoint"
        _tell(questions, "PUT", path, questions.messaging_token, {"endpoint": url})
    yield Step(f"the webhook goes to {url}", {})


def _endpoint(questions: Questions) -> Mapping[str, Any]:
    return questions.bot("/v2/bot/channel/webhook/endpoint", HTTPStatus.NOT_FOUND).content


def _tell(
    questions: Questions, method: str, path: str, token: str | None, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    answer = questions.http.ask(method, path, bearer=token, body=body)
    if answer.status != HTTPStatus.OK:
        raise LineApiError(f"LINE refused {method} {path}: {answer.status}", status=answer.status)
    return answer.content
