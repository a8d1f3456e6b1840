"""The shop's forms."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms import DateField
from wtforms import EmailField
from wtforms import Field
from wtforms import Form
from wtforms import HiddenField
from wtforms import IntegerField
from wtforms import PasswordField
from wtforms import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms import SelectField
from wtforms import StringField
from wtforms import TelField
from wtforms import TextAreaField
from wtforms.validators import DataRequired
from wtforms.validators import Email
from wtforms.validators import EqualTo
from wtforms.validators import InputRequired
from wtforms.validators import Length
from wtforms.validators import NumberRange
from wtforms.validators import Optional
from wtforms.validators import Regexp
from wtforms.widgets import TextInput

from flask_lineconnect import fold_amount
from flask_lineconnect import fold_email
from flask_lineconnect import fold_phone
from flask_lineconnect import fold_postal_code
from flask_lineconnect import shown_name

from .models import MENUS
from .models import PAYMENTS

#: Largest purchase that the counter books at once, in yen.
MAX_PURCHASE = 1_000_000


def choices(labels: Mapping[str, Any]) -> list[SelectChoice]:
    """Return what a field offers, each with its label."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _required(text: Any) -> InputRequired:
    return InputRequired(text)


def _new_key() -> str:
    return secrets.token_hex(16)


def _stripped(value: str | None) -> str | None:
    return value.strip() if value else value


def _seen(value: str | None) -> str | None:
    return _stripped(value) if shown_name(value) else None


def _folded(fold: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return a filter that reads what was typed, full-width signs too."""
    return lambda value: fold(value) if value else value


class NumberField(IntegerField):
    """A whole number as people type it: 「１，２００円」 is one."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it without what stands around it."""
        super().process_formdata([fold_amount(value) for value in valuelist])


def email_field() -> Field:
    """Return a field for an e-mail address."""
    return EmailField(
        _("メールアドレス"),
        [
            _required(_("メールアドレスを入力してください。")),
            Email(_("メールアドレスの形が正しくありません。")),
            Length(max=254),
        ],
        filters=[_folded(fold_email)],
        render_kw={"autocomplete": "email"},
    )


def _name_field() -> Field:
    return StringField(
        _("お名前"),
        [
            # What nobody can see is no name, whatever was typed.
            DataRequired(_("お名前を入力してください。")),
            Length(max=100, message=_("お名前は100文字までです。")),
        ],
        filters=[_seen],
        render_kw={"autocomplete": "name", "dir": "auto"},
    )


def _phone_field(*validators: Any) -> Field:
    digits = Regexp(r"\+?[0-9]{9,15}\Z", message=_("電話番号は数字とハイフンで入力してください。"))
    return TelField(
        _("電話番号"),
        [*validators, digits],
        filters=[_folded(fold_phone)],
        render_kw={"autocomplete": "tel"},
    )


def _new_password_field() -> Field:
    return PasswordField(
        _("パスワード（8文字以上）"),
        [
            _required(_("パスワードを入力してください。")),
            Length(min=8, max=200, message=_("パスワードは8文字以上にしてください。")),
        ],
        render_kw={"autocomplete": "new-password"},
    )


def _repeated_field() -> Field:
    return PasswordField(
        _("パスワード（確認）"),
        [EqualTo("password", _("パスワードが一致しません。"))],
        render_kw={"autocomplete": "new-password"},
    )


def _terms_field() -> Field:
    text = _("会員規約に同意してください。")
    return BooleanField(_("会員規約に同意する"), [_required(text)])


def _postal_code_field(*validators: Any) -> Field:
    digits = Regexp(r"[0-9]{7}\Z", message=_("郵便番号は 123-4567 の形で入力してください。"))
    return StringField(
        _("郵便番号"),
        [*validators, digits],
        filters=[_folded(fold_postal_code)],
        render_kw={"autocomplete": "postal-code", "inputmode": "numeric"},
    )


def _address_field(*validators: Any) -> Field:
    return StringField(
        _("ご住所"),
        [*validators, Length(max=200)],
        filters=[_stripped],
        render_kw={"autocomplete": "street-address"},
    )


class MemberForm(Form):
    """What a new member who comes from LINE confirms; no password is needed."""

    display_name = _name_field()
    email = email_field()
    phone = _phone_field(Optional())
    accepts_terms = _terms_field()


class ProfileForm(Form):
    """What a member may change; fields are named as the member's attributes."""

    name = _name_field()
    phone = _phone_field(Optional())
    postal_code = _postal_code_field(Optional())
    address = _address_field(Optional())


class LoginForm(FlaskForm):
    """E-mail address and password."""

    email = email_field()
    password = PasswordField(
        _("パスワード"),
        [_required(_("パスワードを入力してください。"))],
        render_kw={"autocomplete": "current-password"},
    )


class RegisterForm(FlaskForm):
    """A new member with a password."""

    name = _name_field()
    email = email_field()
    password = _new_password_field()
    repeated = _repeated_field()
    accepts_terms = _terms_field()


class ForgottenForm(FlaskForm):
    """Whose password was forgotten."""

    email = email_field()


class PasswordForm(FlaskForm):
    """A first password, or a new one by a link in a mail."""

    password = _new_password_field()
    repeated = _repeated_field()


class ChangeForm(PasswordForm):
    """A new password for a member who has one."""

    current = PasswordField(
        _("いまのパスワード"),
        [_required(_("いまのパスワードを入力してください。"))],
        render_kw={"autocomplete": "current-password"},
    )


class AnswerForm(FlaskForm):
    """What staff answer to an inquiry."""

    text = TextAreaField(
        _("お返事"),
        [
            DataRequired(_("お返事を入力してください。")),
            Length(max=2_000, message=_("お返事は2,000文字までです。")),
        ],
        filters=[_stripped],
        render_kw={"rows": 5},
    )


class CheckoutForm(FlaskForm):
    """Where an order goes."""

    name = _name_field()
    postal_code = _postal_code_field(_required(_("郵便番号を入力してください。")))
    address = _address_field(_required(_("ご住所を入力してください。")))
    phone = _phone_field(_required(_("電話番号を入力してください。")))
    payment = SelectField(_("お支払い"), choices=choices(PAYMENTS), default="cod")
    #: Made with the form, so that pressing twice orders once.
    key = HiddenField(default=_new_key)


class CounterForm(FlaskForm):
    """The card at the counter: a scanner types the number and presses Enter."""

    card_number = StringField(
        _("カード番号"),
        [_required(_("カード番号を読み取るか、入力してください。"))],
        render_kw={"autocomplete": "off", "inputmode": "numeric", "autofocus": True},
    )


class AnsweredForm(FlaskForm):
    """The button that takes an inquiry off the list."""


class PointsForm(FlaskForm):
    """A purchase at the counter."""

    yen = NumberField(
        _("お買い上げ金額（税込・円）"),
        [
            _required(_("金額を入力してください。")),
            NumberRange(
                1,
                MAX_PURCHASE,
                _("金額は1円から%(max)s円までです。", max=LazyString(format_decimal, MAX_PURCHASE)),
            ),
        ],
        render_kw={"inputmode": "numeric"},
    )
    #: Made with the form, so that pressing twice books once.
    key = HiddenField(default=_new_key)


class PayForm(FlaskForm):
    """A payment with points: a scanner types the code that the customer's card shows."""

    points = NumberField(
        _("使うポイント"),
        [
            _required(_("ポイント数を入力してください。")),
            NumberRange(1, MAX_PURCHASE, _("1ポイントから使えます。")),
        ],
        render_kw={"inputmode": "numeric", "autofocus": True},
    )
    code = StringField(
        _("お支払い用のコード"),
        [_required(_("お客さまの画面のコードを読み取ってください。"))],
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )
    #: Made with the form, so that pressing twice pays once.
    key = HiddenField(default=_new_key)


class WishesForm(FlaskForm):
    """A member's birthday, and whether the shop may note what they look at."""

    born_on = DateField(_("お誕生日（お祝いをお贈りします）"), [Optional()])
    sees_views = BooleanField(_("見た商品を記録して、一週間に一度まで、その商品のご案内を受け取る"))


class BookingForm(FlaskForm):
    """A seat at tea or in a class; the times are those that are offered."""

    menu = SelectField(_("内容"), choices=choices(MENUS))
    starts_at = SelectField(_("日時"))


class ShelfForm(FlaskForm):
    """How many of a product there are, and what it costs."""

    stock = NumberField(_("在庫"), [InputRequired(), NumberRange(0, 9_999)])
    price = NumberField(_("価格（税込・円）"), [InputRequired(), NumberRange(1, MAX_PURCHASE)])
