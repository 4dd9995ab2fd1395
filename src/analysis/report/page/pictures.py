"""Figures of a page: each inside the page, each with words that state its finding, each reached by a keyboard."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

from bs4 import BeautifulSoup

_SHOW = (
    "; say in a sentence what the figure shows, with its numbers: "
    'display(figure, metadata={"image/png": {"alt": "..."}}) and plt.close(figure)'
)
_PLACEHOLDER = "No description has been provided"  # nbconvert's own, which no checker minds
_FILE = re.compile(r"\S+\.(png|jpe?g|svg|gif|pdf|webp)", re.IGNORECASE)
_REPR = re.compile(r"<.*>|\w+\(.*\)|.* object at 0x\w+>?")
_NAMES = {
    *("a", "alt", "an", "axes", "chart", "diagram", "fig", "figure", "graph", "graphic", "image", "img", "of", "photo"),
    *("picture", "plot", "screenshot", "svg", "text", "the", "todo", "untitled"),
}


def fault_of(alt: str) -> str:
    """What keeps a text from standing for its figure; empty when nothing does.

    Example
    -------
    >>> fault_of("image1.png"), fault_of("Figure 1"), fault_of("Half have relapsed by month 24")
    ('is a file name', 'only names the figure', '')
    """
    words = re.findall(r"[^\W\d_]+", alt.lower())
    if _FILE.fullmatch(alt):
        return "is a file name"
    if _REPR.fullmatch(alt):
        return "is the name of an object"
    if not set(words) - _NAMES:
        return "only names the figure"
    return "is too short to state a finding" if len(words) < 3 else ""


def inline_svg(output: Any) -> None:
    """Make an SVG output an <img> of ours, in place: nbconvert loses its alternative text; a script in it rests."""
    svg = output.get("data", {}).get("image/svg+xml")
    if svg and "text/html" not in output["data"]:
        alt = html.escape(output.get("metadata", {}).get("image/svg+xml", {}).get("alt", ""), quote=True)
        code = base64.b64encode(svg.encode()).decode()
        output["data"] = {"text/html": f'<img src="data:image/svg+xml;base64,{code}" alt="{alt}">'}


def settle(soup: BeautifulSoup, faults: list[str]) -> None:
    """Check every figure and set it as one, in place."""
    for number, image in enumerate(soup.find_all("img"), start=1):
        alt = " ".join(image.get("alt", "").split())
        if not alt or _PLACEHOLDER in alt:
            faults.append(f"figure {number} has no alternative text{_SHOW}")
        elif fault := fault_of(alt):
            faults.append(f"figure {number}: its alternative text {alt!r} {fault}{_SHOW}")
        image["alt"] = alt
        if not image.get("src", "").startswith("data:image/"):
            faults.append(f"figure {number} comes from outside ({image.get('src', '')[:60]}); draw it in the notebook")
        if image.parent.name == "div":
            # on a narrow screen the figure scrolls sideways, by keyboard too
            image.wrap(soup.new_tag("figure", attrs={"tabindex": "0", "aria-label": f"Figure {number}"}))


def keep_with_lead(soup: BeautifulSoup) -> None:
    """Put each figure into one box with the heading and the one paragraph that lead to it: on paper they stay together.

    Browsers heed "no break after" a heading less than "no break inside" a box.
    """
    for figure in soup.find_all("figure"):
        lead = [figure.find_previous_sibling(True)]
        if lead[0] is not None and lead[0].name == "p":
            lead.append(lead[0].find_previous_sibling(True))
        if lead[-1] is not None and lead[-1].name in ("h2", "h3", "h4"):
            box = soup.new_tag("div", attrs={"class": "together"})
            lead[-1].insert_before(box)
            for part in [*reversed(lead), figure]:
                box.append(part.extract())
