"""The extension object: what a shop hands over, and the steps that join it to an app.

Next on the reading path: one webhook (``webhooks/views.py``), then one message
(``outbox/queue.py``, ``outbox/delivery.py``, ``line_api/client.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from typing import Any

from flask import Flask
from flask import has_request_context
from flask import request
from sqlalchemy import Select

from .after_commit import after_commit
from .after_commit import watch as watch_commits
from .assembly import make_state
from .assembly import register_pages
from .assembly import run_engine_with
from .config.cookies import protect_session_cookie
from .config.cookies import watch_session_cookie
from .config.settings import Config
from .doctor.start import watch_start
from .errors import ConfigError
from .i18n import speaking
from .library_logs import quieten_libraries
from .liff import card_codes
from .liff import offline
from .linking import accounts
from .linking import credentials
from .linking import unlinking
from .log_floods import bound_floods
from .login import auto
from .login import chat_views
from .login import guard
from .login import kept_forms
from .login import sessions
from .login.basis import basis_of
from .marketing import member_events
from .marketing.campaigns.control import CampaignControl
from .marketing.scenarios.control import ScenarioControl
from .models import Campaign
from .models import OutboxMessage
from .models.base import bind_member_key
from .models.base import hide_parameters
from .models.base import member_key_type
from .models.copies import copy_tables
from .models.databases import check_database
from .models.databases import use_schema
from .models.sqlite import leave_to_parent
from .models.sqlite import prepare_sqlite
from .setting_up.app_checks import check_answers
from .setting_up.app_checks import check_for_production
from .setting_up.app_checks import check_neighbours
from .setting_up.app_checks import warn_of_keys
from .shop.adapter import RichMenu
from .shop.adapter import ShopAdapter
from .shop.categories import ACCOUNT
from .shop.categories import category_named
from .state import EXTENSION_KEY
from .state import current_line
from .web import own_headers
from .web.blueprint import offer_to_templates
from .web.locales import choose_language
from .web.locales import set_up_languages
from .web.theme import style_sheet
from .webhooks.session_use import watch as watch_use

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

    from .config.plans import Estimate
    from .messages.objects import Reply


class LineConnect:
    """Joins a shop and LINE; one object can serve several apps.

    :param db: the shop's Flask-SQLAlchemy object; the extension's tables live in its database.
    :param shop: the shop's adapter.
    :param rich_menu: the menu below the chat, published by ``flask line setup``.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        db: SQLAlchemy,
        shop: ShopAdapter[Any],
        rich_menu: RichMenu | None = None,
    ):
        self.db = db
        self.shop = shop
        self.rich_menu = rich_menu
        self.scenarios = ScenarioControl()
        self.campaigns = CampaignControl()
        copy_tables(db.metadata, shop.model)
        watch_commits(db.session)
        watch_use(db.session)
        unlinking.watch_members(db.session, shop.model)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Join the extension to an app.

        Call it after ``init_app`` of Flask-SQLAlchemy, Flask-Login and, where the shop uses it,
        Flask-Babel.

        :raises ConfigError: a setting is missing, wrong, or fit for development only; or the
            database is none that the extension works with.
        :raises UsageError: Flask-SQLAlchemy or Flask-Login was not set up for the app before.
        """
        config = Config.from_mapping(app.config)
        check_neighbours(app)
        check_answers(self.shop)
        check_for_production(app, config)
        protect_session_cookie(app, config)
        watch_session_cookie(app, config)
        set_up_languages(app)
        style_sheet(tuple(self.shop.theme.items()))
        self._prepare_database(app)
        state = make_state(app, config, db=self.db, shop=self.shop, rich_menu=self.rich_menu)
        app.extensions[EXTENSION_KEY] = state
        register_pages(app, config, self.shop)
        offer_to_templates(app)
        own_headers.watch(app)
        sessions.register(app)
        guard.speak_our_languages(app)
        auto.register(app)
        offline.watch(app)
        kept_forms.watch(app)
        chat_views.watch_logouts(app)
        bound_floods()
        quieten_libraries()
        watch_start(app, state)
        run_engine_with(app, state)

    def send(
        self,
        member: Any,
        message: Reply,
        *,
        category: str = ACCOUNT.name,
        key: str | None = None,
        send_at: datetime | None = None,
        expires_at: datetime | None = None,
        campaign: str | None = None,
    ) -> OutboxMessage | None:
        """Send a message to a member, inside the caller's transaction.

        The message exists if and only if the caller commits; an engine sends it afterwards, if the
        member may and wants to be sent it then.

        :param category: a name of ``ShopAdapter.categories``; members decline them one by one, and
            advertising has rules of its own.
        :param key: names the message, for example ``"order-1001:shipped"``; the same key is sent
            once, however often this is called.
        :param send_at: not before; aware.
        :param expires_at: not after; aware.
        :param campaign: names what it belongs to, for the results.
        :return: the queued message, or ``None`` for a member without a LINE account.
        :raises InvalidMessage: the message breaks one of LINE's limits.
        :raises UsageError: the shop has no such category.
        """
        # With the first message, as in the two below: see parts.py.
        from .messages.objects import to_payloads
        from .outbox import queue

        line = current_line
        wish = queue.Wish(category_named(line.shop.categories, category), send_at, expires_at)
        account = accounts.account_of_member(line, member)
        if account is None:
            return None
        after_commit(line.session, partial(line.engine.wake, "delivery"))
        payloads, now = to_payloads(message), line.clock()
        return queue.enqueue(
            line.session, account, payloads, wish, key=key, campaign=campaign, now=now
        )

    def emit(
        self,
        name: str,
        member: Any,
        /,
        *,
        subject: Any = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> None:
        """Tell what a member did, inside the caller's transaction; one INSERT, no commit.

        It happened if and only if the caller commits; an engine sees to what follows from it.

        :param name: of an event that :meth:`LineBlueprint.member_event` declared: ``order.placed``.
        :param subject: what it is about: a row of the shop's, or a text that names it.
        :param at: when it happened, aware; now by default, and for a time that is to come.
        :param facts: what the event is declared with.
        :raises UsageError: the event or a fact is unknown, missing, or of another type.
        """
        member_events.emit(current_line, name, member, facts, subject=subject, at=at)

    def emit_many(
        self,
        name: str,
        members: Select[Any],
        /,
        *,
        subject: Any = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> None:
        """Tell of many members that the same happened, inside the caller's transaction.

        One INSERT … SELECT, whether they are ten or a hundred thousand: a product is back, a price
        was lowered, for all who keep it. Each member is told of once.

        :param members: a ``select`` of member keys, which may have an order and a limit.
        :param facts: what the event is declared with, the same for all.
        :raises UsageError: the event or a fact is unknown, missing, or of another type, or
            ``members`` is no select of one column.
        """
        member_events.emit_many(current_line, name, members, facts, subject=subject, at=at)

    def begin_campaign(
        self,
        key: str,
        message: Reply,
        *,
        members: Select[Any] | None = None,
        category: str = "news",
        send_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> Campaign:
        """Send the same message to many members, inside the caller's transaction.

        Who they are is decided now, in one statement; whether each may be sent it, now and again
        when it is sent.

        :param key: names the campaign; beginning it again changes nothing.
        :param members: a ``select`` of member keys; everybody who is linked by default.
        :raises InvalidMessage: the message breaks one of LINE's limits.
        :raises UsageError: the shop has no such category.
        """
        from .messages.objects import to_payloads
        from .outbox import queue
        from .outbox.rules import Rules

        line = current_line
        wish = queue.Wish(category_named(line.shop.categories, category), send_at, expires_at)
        after_commit(line.session, partial(line.engine.wake, "delivery"))
        return queue.begin_campaign(
            line.session,
            members,
            to_payloads(message),
            wish,
            line.part(Rules).policy,
            key=key,
            now=line.clock(),
        )

    def estimate(self, *, members: Select[Any] | None = None, category: str = "news") -> Estimate:
        """Say what a campaign would cost, before it begins; counts who would be sent it now."""
        from .outbox import queue
        from .outbox.budget import estimate
        from .outbox.rules import Rules

        line = current_line
        wanted = category_named(line.shop.categories, category)
        rules, now = line.part(Rules), line.clock()
        count = queue.count_recipients(line.session, members, wanted, rules.policy, now=now)
        return estimate(line.session, rules.budget, count, wanted, now=now)

    def unlink(self, member: Any) -> bool:
        """End a member's link, inside the caller's transaction; LINE is told after the commit.

        For staff and for the shop's own pages. Sessions that LINE gave, waiting messages and tokens
        end with it; tell the member.

        :return: whether there was a link.
        """
        line = current_line
        member_id = accounts.member_key(line.session, member)
        return unlinking.end_links_of(line, member_id, actor="shop", now=line.clock()) is not None

    def credentials_changed(self, member: Any) -> None:
        """End what an older password could have begun, inside the caller's transaction.

        Call it when a member changed or recovered the password. Sessions that LINE gave end, and so
        do links that wait, on the web or in the chat; logins of other sessions count as recent no
        more. The link itself stays, and is shown and asked again at the next login with LINE. The
        session in which the member did it goes on.
        """
        line = current_line
        own = sessions.is_of(member)
        linked = accounts.account_of_member(line, member)
        is_proven = own and linked is not None and sessions.rests_on_account(linked.id)
        account = credentials.note_change(line, member, is_proven=is_proven, now=line.clock())
        if own:
            rests_on = None if account is None else basis_of(line, account, member)
            after_commit(line.session, partial(sessions.keep_through_change, rests_on))

    def language_chosen(self, language: str) -> None:
        """Remember the language that somebody chose on a page of the shop's own.

        Our pages speak it in this browser's session; where a member is logged in who is linked,
        so do messages, answers and the rich menu, inside the caller's transaction.

        :param language: as Babel spells it: ``en``, ``zh_Hant``.
        """
        choose_language(language, sessions.logged_in_user())

    @contextmanager
    def in_language_of(self, member: Any) -> Iterator[None]:
        """Write in the language that a member chose, whoever asks: for what is sent to them.

        Where they chose none, it is the one that is spoken anyway.
        """
        account = accounts.account_of_member(current_line, member)
        with speaking(None if account is None else account.language):
            yield

    def erase(self, member: Any) -> bool:
        """Forget a member's LINE account, inside the caller's transaction, when the member leaves.

        ``db.session.delete(member)`` does it by itself. Everything of the person goes: profile,
        tokens, messages, events, also of a link that has ended; LINE is told after the commit. An
        audit entry of the fact stays.

        :return: whether there was an account.
        """
        line = current_line
        return unlinking.erase_all(line, [accounts.member_key(line.session, member)])

    def points_changed(self, member: Any) -> None:
        """Let the member's open point cards show the new balance, inside the caller's transaction.

        They see it once the caller has committed, in whichever process they wait.
        """
        line = current_line
        card_codes.note_change(line.session, accounts.member_key(line.session, member))

    def book_points(self, member: Any, points: int, *, reason: str, key: str | None = None) -> bool:
        """Book points in the adapter's :class:`PointLedger`, in the caller's transaction.

        :param points: to give, or negative: what ends first is spent first.
        :param reason: which the member reads, of up to 200 characters.
        :param key: by which it is booked once for the member, for example ``order-77``.
        :return: whether it was booked now; not if its key was booked before.
        :raises Refused: the member has not as many points.
        :raises UsageError: there is no ledger, or the points, the reason or the key are none.
        """
        from .liff import point_bookings

        return point_bookings.book(current_line, member, points, reason=reason, key=key)

    def redeem_card_code(self, code: str) -> Any | None:
        """Take the one-time code of a point card, inside the caller's transaction.

        Book what is paid in the same transaction: if it is rolled back, the code is as before.

        :param code: as scanned or typed; anything else may be asked for, too.
        :return: the member who showed it; ``None`` for an unknown, used or expired code.
        :raises Refused: this address asked for too many codes that are none.
        """
        line = current_line
        account = card_codes.redeem(line.session, code, now=line.clock())
        if account is None:
            if has_request_context():
                from .web.rate_limits import RateLimits  # at the first count, see parts.py

                line.part(RateLimits).count("address", request.remote_addr or "", "look-up")
            return None
        member = accounts.member_of_account(line, account)
        return member if member is not None and line.shop.may_log_in(member) else None

    def _prepare_database(self, app: Flask) -> None:
        key_type = member_key_type(self.shop.model)
        with app.app_context():
            if None not in self.db.engines:
                raise ConfigError(
                    "SQLALCHEMY_DATABASE_URI is missing; the tables of flask-lineconnect are in "
                    "the default database, beside those of SQLALCHEMY_BINDS"
                )
            check_database(self.db.engine)
            use_schema(self.db.engine, self.db.metadata)
            for engine in self.db.engines.values():
                bind_member_key(engine.dialect, key_type)
                prepare_sqlite(engine)
                leave_to_parent(engine)
                hide_parameters(engine)
            warn_of_keys(self.db.session.get_bind(self.shop.model).engine, self.shop.model)
