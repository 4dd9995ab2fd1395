"""Executed notebook in, one safe HTML file out.

The page holds everything it needs: no script, nothing fetched, a Content-Security-Policy that forbids both. It has no
clock and no random id, so the same notebook, data and versions give the same bytes. `body.py` makes the inside, with
`headings`, `pictures`, `tables`, `ranges`, `formulas` and `listing` (the code) for its parts; the templates and the
style sheet beside it make the outside; `weight.py` holds it to two megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.report.page import weight
from analysis.report.page.body import make_body
from analysis.report.page.faults import PageError
from analysis.report.parameters import Parameter

__all__ = ["Page", "PageError", "render", "render_index"]

SYNTHETIC = "Synthetic data - no row is a real patient"
MARKS = {True: "Synthetic data", False: "Internal: real patients"}  # on every printed sheet
REAL = (
    "Internal: real patients; small counts are withheld but not yet protected against recovery by subtraction "
    "- do not pass on"
)


@dataclass(frozen=True)
class Page:
    """A finished page: its HTML, its title, and the question that its first paragraph asks."""

    html: str
    title: str
    question: str


def render(
    notebook: Any,
    about: Mapping[str, Any],
    definitions: Mapping[str, str],
    shown: Iterable[tuple[Parameter, Any]] = (),
    origin: Mapping[str, Any] | None = None,
) -> Page:
    """The page of an executed notebook.

    Parameters
    ----------
    notebook : executed, as nbformat reads it; its first Markdown heading is the page's title.
    about : facts of the cohort, as `shelf.about` returns them.
    definitions : terms and sentences printed in the header.
    shown : parameters and their values, printed in the footer.
    origin : "versions" (package to version) and "commit".

    Raises
    ------
    PageError
        listing everything that a page may not have: a figure without an alternative text that states its finding, no
        title or two, heading levels with a jump, a formula that cannot be set, an output that only a script could
        show, an unsafe element; or more than two megabytes.
    """
    body = make_body(notebook)
    html = _template("page.html").render(
        style=_style(),
        banner=_banner(about["synthetic"]),
        mark=MARKS[bool(about["synthetic"])],
        body=body,
        about=about,
        period=_period(about),
        definitions=definitions,
        shown=[(parameter, _plain(value)) for parameter, value in shown],
        origin=origin or {"versions": {}, "commit": "unknown"},
    )
    if too_heavy := weight.fault_of(html):
        raise PageError([too_heavy])
    return Page(html, body.title, body.question)


def render_index(
    title: str,
    records: Iterable[Mapping[str, Any]],
    definitions: Mapping[str, str],
    differing: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """The page that lists the pages: one row per record of a run, those with a page as a link to it.

    `differing` are the parameters that have not the same value on all pages: by parameter, by notebook.
    """
    records = list(records)
    cohorts = [record["cohort"] for record in records] + [r["page"]["cohort"] for r in records if r["page"]]
    kinds = {cohort["synthetic"] for cohort in cohorts}
    return _template("index.html").render(
        style=_style(),
        title=title,
        banners=[_banner(kind) for kind in sorted(kinds)],
        mark=MARKS[all(kinds)],
        records=records,
        definitions=definitions,
        differing={name: {page: _plain(value) for page, value in by.items()} for name, by in (differing or {}).items()},
    )


def _banner(synthetic: bool) -> dict[str, str]:
    return {"kind": "synthetic", "text": SYNTHETIC} if synthetic else {"kind": "real", "text": REAL}


def _period(about: Mapping[str, Any]) -> str:
    first, last = about.get("first_year"), about.get("last_year")
    return "not stated" if first is None else f"{first}" if first == last else f"{first} to {last}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


def _template(name: str) -> Any:
    return _environment().get_template(name)
