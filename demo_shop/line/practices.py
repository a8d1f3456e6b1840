"""The practices: which messages follow from what members do, as data in ``scenarios/``.

Each file is one group of them. The owner publishes a scenario, pauses and stops it; a shop of your
own copies the ones that it likes.
"""

from flask_lineconnect import LineBlueprint

practices = LineBlueprint("practices", __name__)

FILES = (
    "orders",
    "bookings",
    "cart",
    "favourites",
    "viewed",
    "steps",
    "points",
    "days",
    "recommend",
    "store_qr",
)
for file in FILES:
    practices.scenarios_from(f"scenarios/{file}.toml")
