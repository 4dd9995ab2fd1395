"""Ranges of numbers that no line end parts: "4.4–8.2 months" stays in one piece."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, NavigableString

# the dash between two numbers, with what holds on to them without a blank: a bracket, the unit after a fixed blank
_RANGE = re.compile(r"(\(?[-\u2212<>]?\d[\d.,]*\u2013[-\u2212<>]?\d[\d.,]*\d*(?:\u00a0[%\w]+)?\)?)")
_LEFT_ALONE = ("code", "pre", "math")


def settle(soup: BeautifulSoup) -> None:
    """Set each range in a span that does not break. A joining sign would do too, but spoils what a reader copies."""
    for text in soup.find_all(string=_RANGE):
        if text.find_parent(_LEFT_ALONE) is None:
            text.replace_with(*_pieces(soup, str(text)))


def _pieces(soup: BeautifulSoup, text: str) -> list:
    pieces = []
    for place, part in enumerate(_RANGE.split(text)):  # every second part is a range
        if place % 2:
            span = soup.new_tag("span", attrs={"class": "range"})
            span.string = part
            pieces.append(span)
        elif part:
            pieces.append(NavigableString(part))
    return pieces
