"""How the values of settings are read and checked; each function raises ``ValueError``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError
from zoneinfo import available_timezones

#: What the extension's own registration form can ask; the fields are in ``login/forms.py``.
SIGN_UP_FIELDS = (
    "display_name",
    "email",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "birthday",
    "gender",
    "phone",
    "postal_code",
    "prefecture",
    "city",
    "street",
    "building",
)


#: What `docker --env-file` and systemd's neighbours leave around a value.
_QUOTES = "\"'`"


def text(value: object) -> str:
    """Read a text that is not empty; a number counts as one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def secret(value: object) -> str:
    """Read a secret, which must not have been taken for a number."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            "must be text. A secret of digits alone that comes from the environment needs quotes: "
            "the value is read as JSON"
        )
    given = value.strip()
    if given[0] in _QUOTES or given[-1] in _QUOTES:
        raise ValueError("has quotation marks around it, which no secret has: leave them out")
    if any(sign.isspace() for sign in given):
        raise ValueError("has a blank or a line's end inside, which no secret has: copy it anew")
    return given


def channel_id(value: object) -> str:
    """Read a channel ID, as text or as a number."""
    digits = text(value)
    if not digits.isdecimal():
        raise ValueError("must be the channel ID of LINE's console, digits only")
    return digits


def liff_id(value: object) -> str:
    """Read a LIFF ID."""
    given = text(value)
    if not re.fullmatch(r"\d+-\w+", given):
        raise ValueError("must look like 1234567890-AbcdEfgh, as LINE's console shows it")
    return given


def basic_id(value: object) -> str:
    """Read the basic or premium ID of an official account."""
    given = text(value)
    if not re.fullmatch(r"@[\w.-]{1,20}", given, re.ASCII):
        raise ValueError("must look like @123abcde, as LINE's console shows it")
    return given


def origin(value: object) -> str:
    """Read the address of a site, perhaps with a path."""
    parts = urlsplit(text(value).rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://shop.example")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or a password")
    return parts.geturl()


def path(value: object) -> str:
    """Read a path of our own site."""
    given = text(value)
    if not given.startswith("/") or given.startswith("//"):
        raise ValueError("must be a path that starts with a slash")
    return given.rstrip("/") or "/"


def below(base_url: str, path: str) -> str:
    """Return a path of our site as browsers know it: below the path of its address, if it has one.

    What is no path, or stands below it already, stays as it is.
    """
    root = urlsplit(base_url).path
    is_whole = path == root or path.startswith(f"{root}/")
    return path if is_whole or not path.startswith("/") else root + path


def names(value: object) -> tuple[str, ...]:
    """Read a list of names, or a text in which spaces part them."""
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError("must be a list of names")
    return tuple(text(name) for name in value)


def seconds(value: object) -> float:
    """Read a length of time."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise ValueError("must be a number of seconds above 0")
    return float(value)


def count(value: object) -> int:
    """Read a number of things."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a whole number, 0 or more")
    return value


def positive(value: object) -> int:
    """Read a number of things of which there is at least one."""
    if count(value) == 0:
        raise ValueError("must be a whole number, 1 or more")
    return count(value)


def hold_out(value: object) -> int:
    """Read how many of a hundred get no advertising; none, or few enough that it costs little."""
    if count(value) > 10:
        raise ValueError("must be a whole number from 1 to 10, or 0")
    return count(value)


def hours(value: object) -> tuple[time, time]:
    """Read a part of the day, which may go over midnight."""
    start, dash, end = text(value).partition("-")
    try:
        given = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError:
        given = None
    if given is None or not dash or given[0] == given[1] or any(one.tzinfo for one in given):
        raise ValueError("must be a part of the day such as 21:00-08:00")
    return given


def shares(value: object) -> tuple[float, ...]:
    """Read parts of a whole, rising."""
    given = [value] if isinstance(value, int | float) else value
    if not isinstance(given, list | tuple) or not all(
        isinstance(one, int | float) and 0 < one <= 1 for one in given
    ):
        raise ValueError("must be a list of numbers above 0, up to 1, such as [0.8, 1.0]")
    return tuple(sorted(float(one) for one in given))


def secrets(value: object) -> tuple[str, ...]:
    """Read a list of secrets, or one."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError("must be a list of secrets")
    return tuple(secret(one) for one in given)


def user_id(value: object) -> str:
    """Read an id of LINE's for a user or an official account."""
    given = text(value)
    if not re.fullmatch(r"U[0-9a-f]{32}", given):
        raise ValueError("must be U and 32 hexadecimal digits, as LINE's console shows it")
    return given


def switch(value: object) -> bool:
    """Read a yes or a no."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def rate(value: object) -> str:
    """Read a rate, as the package ``limits`` writes it."""
    from limits import parse_many

    given = text(value)
    try:
        parse_many(given)
    except ValueError:
        raise ValueError("must be a rate such as 300/minute") from None
    return given


def sign_up_fields(value: object) -> tuple[str, ...]:
    """Read fields of the registration form; a star marks the required ones."""
    given = names(value)
    for name in given:
        if name.removesuffix("*") not in SIGN_UP_FIELDS:
            raise ValueError(f"must not hold {name}; possible are: {', '.join(SIGN_UP_FIELDS)}")
    if len({name.removesuffix("*") for name in given}) != len(given):
        raise ValueError("must not hold a field twice")
    return given


def zone(value: object) -> str:
    """Read a time zone's name."""
    given = text(value)
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError):
        if not available_timezones():
            raise ValueError(
                "can't be read, because this machine has no list of time zones; "
                "`pip install tzdata`"
            ) from None
        raise ValueError("must be a time zone such as Asia/Tokyo") from None
    return given


def one_of(*allowed: str) -> Callable[[object], str]:
    """Return the reader of a choice."""

    def parse(value: object) -> str:
        given = text(value)
        if given not in allowed:
            raise ValueError(f"must be one of: {', '.join(allowed)}")
        return given

    return parse


def scope(value: object) -> str:
    """Read the scopes of LINE Login."""
    given = names(value)
    unknown = set(given) - {"openid", "profile", "email"}
    if "openid" not in given or unknown:
        raise ValueError("must hold openid, and may hold profile and email")
    return " ".join(given)


def further_addresses(value: object) -> tuple[str, ...]:
    """Read addresses of other servers; on this machine they need no TLS."""
    found = tuple(dict.fromkeys(names(value)))
    for one in found:
        parts = urlsplit(one)
        is_here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        is_fit = parts.scheme == "https" or (is_here and parts.scheme == "http")
        # Not quoted: it may hold a secret.
        if not parts.hostname or not is_fit:
            raise ValueError("must be addresses that begin with https://")
        if parts.username or parts.password or parts.fragment:
            raise ValueError("must be addresses without a user name, a password or a #")
    return found
