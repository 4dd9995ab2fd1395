"""Headings of a page: one title and the question it asks, then a ladder without missing rungs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

from analysis.report.page.formulas import MARK


@dataclass(frozen=True)
class Heading:
    """An entry of the contents list."""

    level: int
    text: str
    anchor: str


def take_title(soup: BeautifulSoup, faults: list[str]) -> tuple[str, str]:
    """The one h1 and the sentence after it, both taken out of the body."""
    tops = soup.find_all("h1")
    if len(tops) != 1:
        faults.append(f"expected one heading of level 1 (`# ...`) as the title, came {len(tops)}")
        return "", ""
    following = tops[0].find_next_sibling(True)
    question = ""
    if following is not None and following.name == "p" and not following.find(attrs={MARK: True}):
        said = text_of(following)
        if said.endswith((".", "?", "!")):  # not the words that only lead to a list
            question = said
            following.extract()
    tops[0].extract()
    _refuse_formula(tops[0], faults)
    return text_of(tops[0]), question


def take_contents(soup: BeautifulSoup, faults: list[str]) -> list[Heading]:
    """Give each heading an anchor and list those of level 2 and 3; a jump from 2 to 4 is a fault."""
    contents, taken, before = [], {"contents", "main"}, 1
    for heading in soup.find_all(re.compile(r"^h[2-6]$")):
        level, text = int(heading.name[1]), text_of(heading)
        if level > before + 1:
            faults.append(f"heading {text!r} jumps from level {before} to {level}; use level {before + 1}")
        before = level
        _refuse_formula(heading, faults)
        stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        anchor, count = stem, 1
        while anchor in taken:
            count += 1
            anchor = f"{stem}-{count}"
        taken.add(anchor)
        heading["id"] = anchor
        if level <= 3:
            contents.append(Heading(level, text, anchor))
    return contents


def _refuse_formula(heading: Tag, faults: list[str]) -> None:
    if heading.find(attrs={MARK: True}):
        faults.append(f"heading {text_of(heading)!r} holds a formula, which the contents cannot show; use words")


def text_of(element: Tag) -> str:
    """What an element says, in one line."""
    return " ".join(element.get_text().split())
