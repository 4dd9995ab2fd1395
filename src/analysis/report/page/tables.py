"""Tables of a page: heads that say what they belong to, figures set as figures, a box that scrolls and says so."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, NavigableString, Tag

from analysis.report.page.headings import text_of

_FIGURE = re.compile(r"[-\u2212+<>\u2264\u2265~ ]*\d[^A-Za-z]*$")
_SCOPES = {"col", "row", "colgroup", "rowgroup"}
_LONG_SIGNS = 20
_MANY_COLUMNS = 4


def settle(soup: BeautifulSoup) -> None:
    """Header cells with their scope, figures set as figures, and a box that scrolls and that a keyboard reaches."""
    for number, table in enumerate(soup.find_all("table"), start=1):
        for cell in table.find_all("th"):
            if not text_of(cell):
                cell.name = "td"
                cell.attrs.pop("scope", None)
            elif cell.get("scope") not in _SCOPES:
                span, word = ("colspan", "col") if cell.find_parent("thead") else ("rowspan", "row")
                cell["scope"] = f"{word}group" if cell.get(span, "1") not in ("", "1") else word
        if not table.find(class_="number"):
            _number_columns(table)
        _ease_reading(table)
        caption = table.find("caption")
        label = f"Table {number}" + (f": {text_of(caption)}" if caption else "")
        columns = max((len(row.find_all(["td", "th"], recursive=False)) for row in table.find_all("tr")), default=0)
        look = "scroll many" if columns >= _MANY_COLUMNS else "scroll"  # which says that it slides, see style.css
        box = {"class": look, "tabindex": "0", "role": "region", "aria-label": label}
        table.wrap(soup.new_tag("div", attrs=box))


def _ease_reading(table: Tag) -> None:
    """Mark what the style sheet sets for the eye: rows of one group together, long texts not in one word per line."""
    heads = table.select("tbody tr > th:first-child")
    for cell in table.select("tbody th, tbody td:not(.number)"):
        if len(text_of(cell)) > _LONG_SIGNS:
            cell["class"] = [*cell.get("class", []), "long"]
            _break_sums(cell)
    names = [text_of(head) for head in heads]
    marks = []
    if len(set(names)) < len(names):
        marks.append("grouped")
        for head, name, before in zip(heads, names, [None, *names], strict=False):
            marked = head if name == before else head.parent
            marked["class"] = [*marked.get("class", []), "again" if name == before else "first"]
    if names and not table.select("tbody tr > th.long:first-child"):
        marks.append("keyed")  # short enough to stay in sight while the rest slides by
    if marks:
        table["class"] = [*table.get("class", []), *marks]


def _break_sums(cell: Tag) -> None:
    """Let a regimen of many drugs break after a plus sign, not within a drug."""
    for text in cell.find_all(string=re.compile(r"\+\S")):
        first, *others = str(text).split("+")
        pieces = [NavigableString(f"{first}+")]
        for place, drug in enumerate(others, start=1):
            pieces += [Tag(name="wbr", can_be_empty_element=True)]
            pieces += [NavigableString(drug if place == len(others) else f"{drug}+")]
        text.replace_with(*pieces)


def _number_columns(table: Tag) -> None:
    """Mark cells that hold figures, and the heads of the columns that hold mostly figures."""
    rows = [row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr")]
    figures: dict[int, list[bool]] = {}
    for row in rows:
        for position, cell in enumerate(row):
            if cell.name == "td" and cell.find_parent("thead") is None:
                is_figure = bool(_FIGURE.match(text_of(cell)))
                figures.setdefault(position, []).append(is_figure)
                if is_figure:
                    cell["class"] = [*cell.get("class", []), "number"]
    for row in rows:
        for position, cell in enumerate(row):
            held = figures.get(position, [])
            if cell.get("scope") == "col" and sum(held) * 2 > len(held):
                cell["class"] = [*cell.get("class", []), "number"]
