"""The practices: which messages follow from what members do, as data in ``scenarios/``.

Each file is one group of them. The owner publishes a scenario, pauses and stops it; a shop of your
own copies the ones that it likes.
"""

import tomllib
from pathlib import Path

from flask_lineconnect import LineBlueprint

from .extension import line

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
# Nothing of these is sent before the owner lets one go.
practices.campaigns_from("campaigns.toml")


def switch_on() -> None:
    """Publish all of them, in the caller's transaction; who is there already begins nothing."""
    for file in FILES:
        path = Path(__file__).with_name("scenarios") / f"{file}.toml"
        for name in tomllib.loads(path.read_text("utf-8")):
            line.scenarios.publish(name, enrol="nobody")
