"""``flask line store-qr``: the QR code of a shelf, a flyer or a store."""

from __future__ import annotations

from pathlib import Path

import click
import segno
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from ..login import labels
from ..login.flow import MAX_SOURCE
from ..login.flow import source_label
from ..marketing.links import stored
from ..marketing.links.tracking import link_to
from ..state import current_line
from .files import FilePath


@click.command()
@click.argument("source")
@click.option("--next", "next_path", help="Path of the shop's page to which the login leads.")
@click.option(
    "--output",
    type=FilePath(dir_okay=False, writable=True, path_type=Path),
    help="An .svg, .png or .pdf file; without it only the address is printed.",
)
@click.option("--track", is_flag=True, help="Count each opening, by a shorter address.")
@with_appcontext
def store_qr(source: str, next_path: str | None, output: Path | None, track: bool) -> None:
    """Make the QR code of a shelf, a flyer or a store.

    SOURCE is the label under which `flask line links` counts whom it brought. It is written down:
    labels in addresses that nobody made are not counted.
    """
    label = source_label(source)
    if label != source:
        raise click.ClickException(
            f"SOURCE must be a printable text of at most {MAX_SOURCE} characters"
        )
    # Written down it needs no proof, and a printed code stays small and outlives every key.
    values = {"source": label, "next": next_path, labels.PROOF: None}
    address = current_line.url_for("lineconnect.login", **values)
    try:
        labels.write_down(current_line.session, label, created_at=current_line.clock())
        if track:
            owner = stored.LinkOwner(source=f"qr:{label}"[: stored.MAX_SOURCE])
            address = link_to(current_line, address, owner, label=label)
        current_line.session.commit()
    except DBAPIError as error:
        raise click.ClickException(
            f"the label can't be written down; run the shop's migrations first: {error.orig}"
        ) from None
    if output is not None:
        try:
            segno.make(address, error="m", micro=False).save(str(output), scale=10, border=4)
        except ValueError as error:
            raise click.ClickException(f"{output}: {error}; use .svg, .png or .pdf") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise click.ClickException(f"{output} can't be written: {reason}") from None
    click.echo(address)
