"""Lists as files that Excel opens rightly in Japan.

UTF-8 with a byte order mark, without which Excel takes it for another encoding; every cell quoted;
and no cell of text that Excel would take for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO
from typing import Any
from typing import cast

from flask import Response
from flask import send_file

from ..csv_cells import text_cell
from . import writing

#: What is larger waits on the disk; in bytes.
IN_MEMORY = 1_000_000


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return a list as a file; whole, so that what fails is no file at all.

    :param name: of the file, before day and ending.
    """
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed with the answer
    text = io.TextIOWrapper(cast(IO[bytes], file), "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    text.detach()
    file.seek(0)
    filename = f"{name}_{writing.today():%Y%m%d}.csv"
    answer = send_file(
        cast(IO[bytes], file), "text/csv", as_attachment=True, download_name=filename
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def cell(value: Any) -> Any:
    """Return what stands in a cell: numbers as they are, texts that are no formulas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return f"{writing.local(value):%Y/%m/%d %H:%M}"
    return text_cell(str(value))
