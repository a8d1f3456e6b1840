"""The registration form for shops that bring none of their own; its fields are a setting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from markupsafe import Markup
from wtforms import BooleanField
from wtforms import DateField
from wtforms import EmailField
from wtforms import Field
from wtforms import Form
from wtforms import RadioField
from wtforms import StringField
from wtforms import TelField
from wtforms import ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import DataRequired
from wtforms.validators import InputRequired
from wtforms.validators import Length
from wtforms.validators import Optional
from wtforms.validators import Regexp

from .. import folding
from ..config.settings import Config
from ..i18n import gettext
from ..i18n import lazy_gettext as _
from ..person_names import shown_name
from ..state import current_line

#: Names the field of LINE's common profile that Quick-fill puts in.
_LIFF = "data-liff-autocomplete"
#: Hiragana, moved to the katakana of the same sound.
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


def _stripped(value: str | None) -> str | None:
    """Return a text without what stands around it; one that nobody can see is none."""
    return value.strip() if value and shown_name(value) else None


def _folded(fold: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return a filter for a field of a form; an empty one stays empty."""

    def filter_(value: str | None) -> str | None:
        return (fold(value) or None) if value else None

    return filter_


def _katakana(value: str) -> str:
    return folding.fold_text(value).translate(_TO_KATAKANA)


class TypedDateField(DateField):
    """A day; browsers without a calendar of their own send it as it was typed."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it in any of the ways in which people write a year, a month and a day."""
        super().process_formdata([folding.fold_day(" ".join(valuelist))] if valuelist else [])


def _in_the_past(_form: Form, field: Field) -> None:
    line = current_line
    today = line.clock().astimezone(line.config.zone).date()
    if field.data is not None and not date(1900, 1, 1) <= field.data <= today:
        raise ValidationError(gettext("生年月日をご確認ください。"))


def _text(label: Any, autocomplete: str, liff_name: str) -> Callable[[list[Any]], Field]:
    def make(validators: list[Any]) -> Field:
        return StringField(
            label,
            [*validators, Length(max=100, message=_("長すぎます。"))],
            filters=[_stripped],
            render_kw={"autocomplete": autocomplete, _LIFF: liff_name},
        )

    return make


def _kana(label: Any, liff_name: str) -> Callable[[list[Any]], Field]:
    def make(validators: list[Any]) -> Field:
        return StringField(
            label,
            [
                *validators,
                Length(max=100, message=_("長すぎます。")),
                Regexp(r"[ァ-ヺー・ ]+$", message=_("かなで入力してください。")),
            ],
            filters=[_folded(_katakana)],
            render_kw={_LIFF: liff_name},
        )

    return make


def _email(validators: list[Any]) -> Field:
    return EmailField(
        _("メールアドレス"),
        [
            *validators,
            Length(max=254, message=_("長すぎます。")),
            Regexp(
                r"[^@\s]+@[^@\s]+\.[^@\s]+$", message=_("メールアドレスの形が正しくありません。")
            ),
        ],
        filters=[_folded(folding.fold_email)],
        render_kw={"autocomplete": "email", _LIFF: "email"},
    )


def _birthday(validators: list[Any]) -> Field:
    return TypedDateField(
        _("生年月日"),
        [*validators, _in_the_past],
        render_kw={"autocomplete": "bday", _LIFF: "bday"},
    )


def _gender(validators: list[Any]) -> Field:
    names = {"female": _("女性"), "male": _("男性"), "other": _("その他")}
    choices = [SelectChoice(value, label) for value, label in names.items()]
    return RadioField(_("性別"), validators, choices=choices)


def _phone(validators: list[Any]) -> Field:
    return TelField(
        _("電話番号"),
        [
            *validators,
            Regexp(r"\+?[0-9]{9,15}\Z", message=_("電話番号の形が正しくありません。")),
        ],
        filters=[_folded(folding.fold_phone)],
        render_kw={"autocomplete": "tel", _LIFF: "tel"},
    )


def _postal_code(validators: list[Any]) -> Field:
    return StringField(
        _("郵便番号"),
        [*validators, Regexp(r"[0-9]{7}\Z", message=_("郵便番号は7桁の数字です。"))],
        filters=[_folded(folding.fold_postal_code)],
        render_kw={
            "autocomplete": "postal-code",
            "inputmode": "numeric",
            _LIFF: "postal-code",
        },
    )


_FIELDS: dict[str, Callable[[list[Any]], Field]] = {
    "display_name": _text(_("お名前"), "name", "name"),
    "email": _email,
    "family_name": _text(_("姓"), "family-name", "family-name"),
    "given_name": _text(_("名"), "given-name", "given-name"),
    "family_name_kana": _kana(_("姓（かな）"), "family-name-kana"),
    "given_name_kana": _kana(_("名（かな）"), "given-name-kana"),
    "birthday": _birthday,
    "gender": _gender,
    "phone": _phone,
    "postal_code": _postal_code,
    "prefecture": _text(_("都道府県"), "address-level1", "address-level1"),
    "city": _text(_("市区町村"), "address-level2", "address-level2"),
    "street": _text(_("番地"), "address-line1", "address-level3"),
    "building": _text(_("建物名・部屋番号"), "address-line2", "address-level4"),
}


def make_form(config: Config) -> type[Form]:
    """Return the form that ``LINECONNECT_SIGN_UP_FIELDS`` and ``LINECONNECT_TERMS_URL`` ask for."""
    fields: dict[str, Any] = {}
    for name in config.sign_up_fields:
        is_required = name.endswith("*")
        plain_name = name.removesuffix("*")
        # Of a text, what is left of it counts; a day or a choice is nothing that could be empty.
        needed = InputRequired if plain_name in {"birthday", "gender"} else DataRequired
        validator = needed(_("入力してください。")) if is_required else Optional()
        fields[plain_name] = _FIELDS[plain_name]([validator])
    if config.terms_url:
        fields["accepts_terms"] = BooleanField(
            _terms_label(config.terms_url), [InputRequired(_("同意が必要です。"))]
        )
    return type("SignUpForm", (Form,), fields)


def _terms_label(url: str) -> Any:
    link = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>')
    return link.format(url, _("利用規約に同意する"))
