"""The extension object of the shop, beside those of ``demo_shop/extensions.py``."""

from flask_lineconnect import LineConnect
from flask_lineconnect import RichMenu

from ..extensions import db
from .adapter import KomorebiShop

line = LineConnect(
    db=db,
    shop=KomorebiShop(),
    rich_menu=RichMenu(
        template="line/rich_menu.json",
        image="line/rich_menu.png",
        images={"en": "line/rich_menu.en.png"},
    ),
)
