"""How a table is set: static HTML that a screen reader can walk through, escaped, the same bytes on every run.

Class names for the style sheet: `result` on the table, `number` on right-aligned cells, `note` on the line beneath.
"""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis.present import numbers

TEXT, NUMBER = "text", "number"


Cell = str | tuple[str, str]


def table(caption: str, columns: list[tuple[str, str]], rows: list[list[Cell]], note: str = "") -> HTML:
    """Set rows of finished texts as a table; the first cell of each row is its heading.

    Parameters
    ----------
    caption : str
        what the table shows, with units and horizon; escaped here, like every other text.
    columns : list of (heading, kind)
        kind is "text" or "number"; numbers are set flush right.
    rows : list of lists of str or (str, str)
        one text per column; of a pair, the second text stands small on a line beneath the first.
    note : str
        a line beneath the table.

    Returns
    -------
    IPython.display.HTML

    Example
    -------
    >>> table("Two <small> numbers", [("group", TEXT), ("patients", NUMBER)], [["line 1", "12"]]).data.count("scope=")
    3
    """
    if not rows:
        return HTML(f'<p class="note">{numbers.escape_html(caption)}: no rows to show.</p>')
    head = "".join(f'<th scope="col"{_css(kind)}>{numbers.escape_html(name)}</th>' for name, kind in columns)
    body = "\n".join(_row(row, columns) for row in rows)
    below = f'\n<p class="note">{numbers.escape_html(note)}</p>' if note else ""
    return HTML(
        f'<table class="result">\n<caption>{numbers.escape_html(caption)}</caption>\n'
        f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>{below}"
    )


def _css(kind: str) -> str:
    return ' class="number"' if kind == NUMBER else ""


def _inside(cell: Cell) -> str:
    if isinstance(cell, str):
        return numbers.escape_html(cell)
    text, below = (numbers.escape_html(part) for part in cell)
    return f"{text}<br/><small>{below}</small>" if below else text


def _row(row: list[Cell], columns: list[tuple[str, str]]) -> str:
    first, *others = row
    cells = [f'<th scope="row">{numbers.escape_html(first)}</th>']
    for text, (_, kind) in zip(others, columns[1:], strict=True):
        cells.append(f"<td{_css(kind)}>{_inside(text)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def count(row: pd.Series, name: str) -> str:
    """A count cell: the number, or what `disclosure.withhold` left in its place."""
    return numbers.shown_count(row, name)


def limits(row: pd.Series, kind: str = "percent") -> str:
    """The two limits of a row as a range; a dash where there are none."""
    return numbers.format_interval(row["conf_low"], row["conf_high"], kind) or "–"
