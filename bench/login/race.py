"""How many logins beside an unlinking stay logged in: none may.

``PYTHONPATH=. python bench/login/race.py --tries 2000 --database sqlite:////tmp/race.db``. Each try
lets one member's phone exchange LINE's ID token while the member's link ends in another thread, at
the same moment, and asks afterwards whether the phone is still logged in though the link has ended.
LINE is the emulator; the ID token is exchanged again and again, as the SDK does within its hour.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import delete
from sqlalchemy import update

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import EndedLink
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.testing.emulator import run_emulator
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db
from tests.small_shop import line as extension

BASE_URL = "http://127.0.0.1:5999"
#: A new token is fetched in time, before the emulator's would be too old.
TOKEN_SECONDS = 240


class Race:
    """One shop, one member, one phone."""

    def __init__(self, app: Flask, emulator: Emulator):
        self.app, self.emulator = app, emulator
        self.line = app.extensions["lineconnect"]
        self.phone = emulator.browser(emulator.add_user("佐藤 さくら"))
        self._token, self._until = "", 0.0
        with app.app_context():
            member = User(name="佐藤 さくら", email="sakura@mail.example")
            db.session.add(member)
            db.session.commit()
            self.member_id = member.id

    def run_once(self) -> str:
        """Let both happen at once; return what became of it."""
        self._link()
        client = self.app.test_client()
        headers = {"X-CSRFToken": client.get("/token").text, "Origin": BASE_URL}
        together = threading.Barrier(2)
        unlinking = threading.Thread(target=self._unlink, args=(together,))
        unlinking.start()
        token = self._id_token()
        together.wait()
        answer = client.post("/line/liff/session", json={"id_token": token}, headers=headers)
        unlinking.join()
        is_in = client.get("/name").status_code == 200
        was_in = answer.status_code == 200 and (answer.json or {})["location"] == "/line/liff"
        if is_in:
            return "STAYED LOGGED IN WITHOUT A LINK"
        return "logged in, then out" if was_in else "not logged in"

    def _link(self) -> None:
        with self.app.app_context():
            # Else the token of before would be refused, and no login would come as far as the race.
            db.session.execute(delete(EndedLink))
            db.session.execute(delete(OutboxMessage))
            now = self.line.clock()
            account = accounts.ensure_account(self.line.session, self.phone.user_id, now=now)
            accounts.link(self.line, account, self.member_id, source=None, now=now)
            db.session.execute(update(Account).values(display_name="佐藤 さくら"))
            db.session.commit()

    def _unlink(self, together: threading.Barrier) -> None:
        with self.app.app_context():
            member = db.session.get_one(User, self.member_id)
            together.wait()
            extension.unlink(member)
            db.session.commit()

    def _id_token(self) -> str:
        if time.monotonic() > self._until:
            address = self.phone.open_in_app(f"{self.emulator.url}/1650000001-DemoCard")
            self._token = parse_qs(urlsplit(address).fragment)["id_token"][0]
            self._until = time.monotonic() + TOKEN_SECONDS
        return self._token


def main() -> None:
    """Run the tries and print how they ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=2_000)
    parser.add_argument("--database", required=True, help="address of an empty database")
    arguments = parser.parse_args()
    with run_emulator() as emulator:
        emulator.set_up(base_url=BASE_URL)
        settings = {
            **SETTINGS,
            **emulator.settings(BASE_URL),
            "SQLALCHEMY_DATABASE_URI": arguments.database,
            "LINECONNECT_RATE_LIMIT": "1000000/minute",
        }
        race = Race(create_app(settings), emulator)
        began = time.monotonic()
        ended: Counter[str] = Counter()
        try:
            for _try in range(arguments.tries):
                ended[race.run_once()] += 1
        except KeyboardInterrupt:
            print("stopped; so far:")
    taken = timedelta(seconds=round(time.monotonic() - began))
    print(f"{arguments.database.partition(':')[0]}: {ended.total()} tries in {taken}")
    for what, count in ended.most_common():
        print(f"  {count:6} {what}")


if __name__ == "__main__":
    main()
