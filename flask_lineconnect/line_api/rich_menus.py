"""What the Messaging API has for rich menus beyond one for everybody: aliases, many people at once.

Source: Messaging API reference, "Rich menu", "Rich menu alias", "Per-user rich menu".
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from ..errors import LineApiError
from .client import LineApi
from .client import _parsed
from .client import _word

#: People of one request. Source: "Link rich menu to multiple users".
MOST_PEOPLE = 500


class RichMenuApi:
    """Calls of an official account's rich menus; each may be repeated."""

    def __init__(self, api: LineApi):
        self._api = api

    def names(self) -> dict[str, str]:
        """Return all rich menus that were made through the API: the name of each id."""
        return self._api._ask(
            "list rich menus",
            lambda sdk: sdk.get_rich_menu_list_with_http_info(**self._options),
            lambda answer: {_word(menu.rich_menu_id): str(menu.name) for menu in answer.richmenus},
        )

    def create(self, definition: dict[str, Any]) -> str:
        """Create a rich menu without an image; LINE takes 100 an hour.

        :return: its id.
        """
        request = _parsed(self._api._sdk.RichMenuRequest, definition)
        return self._api._ask(
            "create rich menu",
            lambda sdk: sdk.create_rich_menu_with_http_info(request, **self._options),
            lambda answer: _word(answer.rich_menu_id),
        )

    def upload(self, menu_id: str, image: bytes, content_type: str) -> None:
        """Give a rich menu its image, once."""
        self._api._call(
            "upload rich menu image",
            lambda sdk: sdk.set_rich_menu_image_with_http_info(
                menu_id, image, _headers={"Content-Type": content_type}, **self._options
            ),
            blob=True,
        )

    def has_image(self, menu_id: str) -> bool:
        """Tell whether a rich menu has its image; without one it can't be shown."""
        try:
            self._api._call(
                "get rich menu image",
                lambda sdk: sdk.get_rich_menu_image_with_http_info(menu_id, **self._options),
                blob=True,
            )
        except LineApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def delete(self, menu_id: str) -> None:
        """Delete a rich menu, if it is there; LINE takes 100 an hour."""
        _unless_absent(self._api.delete_rich_menu, menu_id)

    def clear_default(self) -> None:
        """Show no rich menu to those who have none of their own."""
        self._api._call(
            "cancel default rich menu",
            lambda sdk: sdk.cancel_default_rich_menu_with_http_info(**self._options),
        )

    def link(self, menu_id: str, line_user_ids: Sequence[str]) -> None:
        """Show up to 500 people a rich menu of their own; LINE does it within seconds."""
        body = {"richMenuId": menu_id, "userIds": list(line_user_ids)}
        request = _parsed(self._api._sdk.RichMenuBulkLinkRequest, body)
        self._api._call(
            "link rich menu to many",
            lambda sdk: sdk.link_rich_menu_id_to_users_with_http_info(request, **self._options),
        )

    def unlink(self, line_user_ids: Sequence[str]) -> None:
        """Show up to 500 people everybody's rich menu again."""
        body = {"userIds": list(line_user_ids)}
        request = _parsed(self._api._sdk.RichMenuBulkUnlinkRequest, body)
        self._api._call(
            "unlink rich menu of many",
            lambda sdk: sdk.unlink_rich_menu_id_from_users_with_http_info(request, **self._options),
        )

    def aliases(self) -> dict[str, str]:
        """Return the rich menu id of each alias."""
        return self._api._ask(
            "list rich menu aliases",
            lambda sdk: sdk.get_rich_menu_alias_list_with_http_info(**self._options),
            lambda answer: {
                _word(one.rich_menu_alias_id): _word(one.rich_menu_id) for one in answer.aliases
            },
        )

    def create_alias(self, alias: str, menu_id: str) -> None:
        """Let an alias name a rich menu, which has its image."""
        body = {"richMenuAliasId": alias, "richMenuId": menu_id}
        request = _parsed(self._api._sdk.CreateRichMenuAliasRequest, body)
        self._api._call(
            "create rich menu alias",
            lambda sdk: sdk.create_rich_menu_alias_with_http_info(request, **self._options),
        )

    def move_alias(self, alias: str, menu_id: str) -> None:
        """Let an alias name another rich menu."""
        request = _parsed(self._api._sdk.UpdateRichMenuAliasRequest, {"richMenuId": menu_id})
        self._api._call(
            "update rich menu alias",
            lambda sdk: sdk.update_rich_menu_alias_with_http_info(alias, request, **self._options),
        )

    def delete_alias(self, alias: str) -> None:
        """Delete an alias, if it is there."""
        _unless_absent(
            lambda name: self._api._call(
                "delete rich menu alias",
                lambda sdk: sdk.delete_rich_menu_alias_with_http_info(name, **self._options),
            ),
            alias,
        )

    @property
    def _options(self) -> dict[str, Any]:
        return self._api._options


def _unless_absent(delete: Any, name: str) -> None:
    try:
        delete(name)
    except LineApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
