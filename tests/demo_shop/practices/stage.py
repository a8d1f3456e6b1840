"""The demo shop beside an emulator, with people on its pages and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import Order
from demo_shop.models import Product
from demo_shop.models import User
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import EXTENSION_KEY
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator

TOKYO = ZoneInfo("Asia/Tokyo")
#: A Monday at ten in the shop.
BEGIN = datetime(2026, 12, 7, 10, tzinfo=TOKYO)
ADDRESS = {
    "name": "山田 花子",
    "postal_code": "6048005",
    "address": "京都府京都市中京区 1",
    "phone": "0750000000",
}
_numbers = count(1)


@dataclass(slots=True)
class Stage:
    """The shop, LINE, and the time."""

    app: Flask
    emulator: Emulator
    now: datetime = BEGIN

    @property
    def line(self) -> LineState:
        """What the extension keeps of the shop."""
        state: LineState = self.app.extensions[EXTENSION_KEY]
        return state

    def set_clocks(self) -> None:
        """Let the shop and the extension go by this clock."""
        self.line.clock = lambda: self.now.astimezone(UTC)
        self.app.config["SHOP_CLOCK"] = self.line.clock

    def publish(self, *names: str, enrol: str | None = None) -> None:
        """Switch scenarios on."""
        for name in names:
            extension.scenarios.publish(name, enrol=enrol)  # type: ignore[arg-type]
        db.session.commit()

    def play(self) -> None:
        """Do what is due, until LINE has it."""
        while True:
            # A message waits until its member's events are handled.
            while sum(do(self.line) for do in SCHEDULE):
                pass
            if not deliver_due(self.line):
                break
        db.session.rollback()

    def later(self, **time: float) -> None:
        """Let time pass, and do what became due."""
        self.now += timedelta(**time)
        self.play()

    def at(self, hour: int, minute: int = 0, *, days: int = 0) -> None:
        """Go on to a time of the day in the shop, today or some days later."""
        target = (self.now.astimezone(TOKYO) + timedelta(days=days)).replace(
            hour=hour, minute=minute, second=0
        )
        assert target >= self.now, "the time does not go back"
        self.now = target
        self.play()

    def customer(
        self, name: str = "山田 花子", *, source: str | None = None, **more: Any
    ) -> Customer:
        """Return a customer who is linked, with a phone and a browser of their own."""
        number = next(_numbers)
        member = User(
            email=f"c{number}@mail.example",
            name=name,
            card_number=f"{number:013d}",
            **{"created_at": self.now - timedelta(days=100), **more},
        )
        db.session.add(member)
        db.session.flush()
        user_id = self.emulator.add_user(name)
        self.emulator.add_friend(user_id)
        account = accounts.ensure_account(self.line.session, user_id, now=self.line.clock())
        account.is_friend = True
        accounts.link(self.line, account, member.id, source=source, now=self.line.clock())
        db.session.commit()
        self.play()
        return Customer(self, member.id, user_id, self._browser(member))

    def staff(self) -> FlaskClient:
        """Return the browser of the staff."""
        member = db.session.scalars(select(User).where(User.is_staff)).first()
        if member is None:
            member = User(email="s@mail.example", name="店主", card_number="s", is_staff=True)
            db.session.add(member)
            db.session.commit()
        return self._browser(member)

    def order_goes_on(self, order: Order, *what: str) -> None:
        """Let staff press what happens to an order."""
        staff = self.staff()
        for one in what:
            answer = staff.post(
                f"/back-office/orders/{order.id}/{one}", data={"tracking_number": "412345678901"}
            )
            assert answer.status_code == 302
        self.play()

    def ended(self, scenario: str, customer: Customer) -> list[str | None]:
        """Return why a customer's runs of a scenario ended; of live ones ``None``."""
        return [run.end_reason for run in self.runs(scenario, customer)]

    def runs(self, scenario: str, customer: Customer) -> Sequence[ScenarioRun]:
        """Return a customer's runs of a scenario."""
        ids = select(PublishedScenario.id).where(PublishedScenario.name == scenario)
        statement = select(ScenarioRun).where(
            ScenarioRun.scenario_id.in_(ids), ScenarioRun.member_id == customer.member_id
        )
        db.session.rollback()
        return db.session.scalars(statement.order_by(ScenarioRun.id)).all()

    def outcomes(self, scenario: str, customer: Customer) -> list[tuple[str, str, str | None]]:
        """Return what became of each step of a customer's runs."""
        ids = [run.id for run in self.runs(scenario, customer)]
        statement = select(ScenarioStep).where(ScenarioStep.run_id.in_(ids))
        found = db.session.scalars(statement.order_by(ScenarioStep.at, ScenarioStep.run_id)).all()
        return [(one.step, one.outcome, one.reason) for one in found]

    def _browser(self, member: User) -> FlaskClient:
        client = self.app.test_client()
        with client.session_transaction() as session:
            session.update(_user_id=str(member.id), _fresh=True)
        return client


@dataclass(slots=True)
class Customer:
    """A member with a phone.

    :ivar browser: in which they use the shop's pages.
    """

    stage: Stage
    member_id: int
    user_id: str
    browser: FlaskClient
    _read: int = field(default=0)

    @property
    def member(self) -> User:
        """The shop's row."""
        return db.session.get_one(User, self.member_id)

    @property
    def account(self) -> Account:
        """The LINE account's row."""
        found = accounts.account_of(self.stage.line.session, self.member_id)
        assert found
        return found

    def news(self) -> list[str]:
        """Return what came to the phone since it was looked at last, as it is read there."""
        received = self.stage.emulator.received(self.user_id)
        new, self._read = received[self._read :], len(received)
        return [seen(message) for message in new]

    def put_into_cart(self, product: Product, quantity: int = 1) -> None:
        """Press the button on a product's page."""
        data = {"quantity": str(quantity)}
        assert self.browser.post(f"/cart/add/{product.slug}", data=data).status_code == 302
        self.stage.play()

    def buy(self, product: Product, quantity: int = 1, *, payment: str = "cod") -> Order:
        """Put a product into the cart, and order it."""
        self.put_into_cart(product, quantity)
        answer = self.browser.post("/checkout", data={**ADDRESS, "payment": payment})
        assert answer.status_code == 302, answer.text
        self.stage.play()
        latest = select(Order).where(Order.user_id == self.member_id).order_by(Order.id.desc())
        return db.session.scalars(latest).first() or Order()

    def receive(self, product: Product, quantity: int = 1) -> Order:
        """Buy a product, which is shipped and delivered a minute later."""
        order = self.buy(product, quantity)
        self.stage.later(minutes=1)
        self.stage.order_goes_on(order, "ship", "deliver")
        return order

    def visit(self, path: str, **form: str) -> None:
        """Open a page, or send its form."""
        answer = self.browser.post(path, data=form) if form else self.browser.get(path)
        assert answer.status_code in (200, 302), answer.text
        self.stage.play()


def seen(message: dict[str, Any]) -> str:
    """Return what a person reads of a message: no data, no addresses."""
    unseen = {"data", "uri", "url", "type", "color", "size", "weight", "layout", "spacing"}
    unseen |= {"align", "margin", "style", "height", "paddingAll", "aspectRatio", "aspectMode"}

    def texts(part: Any) -> list[str]:
        if isinstance(part, dict):
            values = [value for key, value in part.items() if key not in unseen]
            return [text for value in values for text in texts(value)]
        if isinstance(part, list):
            return [text for value in part for text in texts(value)]
        return [part] if isinstance(part, str) else []

    return "\n".join(texts(message))


def addresses(message: dict[str, Any]) -> list[str]:
    """Return where the buttons of a message lead."""
    found: list[str] = []

    def look(part: Any) -> None:
        for value in part.values() if isinstance(part, dict) else part:
            if isinstance(value, dict | list):
                look(value)
        if isinstance(part, dict) and "uri" in part:
            found.append(part["uri"])

    look(message)
    return found
