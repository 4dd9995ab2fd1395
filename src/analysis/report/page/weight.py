"""How heavy a page may be: what mail and records systems of hospitals still let through."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag

LARGEST_PAGE_BYTES = 2_000_000
_NAMED = 3
_TELLING_BYTES = 50_000
_ADVICE = {
    "figure": "draw figures at fewer dots per inch or as PNG instead of SVG",
    "table": "show fewer rows",
    "printed text": "print less: a cell shows what a reader needs, a file keeps the rest",
    "paragraph": "write less",
    "code": "part the notebook in two",
}
_ELEMENTS = {"figure": "img", "table": "table", "printed text": "pre", "paragraph": "p, li"}


def fault_of(page: str, largest_bytes: int = LARGEST_PAGE_BYTES) -> str:
    """What makes a page too large, its heaviest parts first, and what to do about them; empty when it is light enough.

    Example
    -------
    >>> fault_of("<p>short</p>")
    ''
    """
    size = len(page.encode())
    if size <= largest_bytes:
        return ""
    parts = sorted(_parts(BeautifulSoup(page, "html.parser")), reverse=True)
    heaviest = [part for part in parts if part[0] > _TELLING_BYTES][:_NAMED] or parts[:1]
    named = ", ".join(f"{name} {weight / 1e6:.1f} MB" for weight, name, _ in heaviest)
    advice = dict.fromkeys(_ADVICE[kind] for _, _, kind in heaviest)
    return (
        f"the page has {size / 1e6:.1f} MB, it may have {largest_bytes / 1e6:g} MB; largest are {named}; "
        f"{'; '.join(advice)}"
    )


def _parts(soup: BeautifulSoup) -> list[tuple[int, str, str]]:
    """Weight, name and kind of each part; the code stands apart, so that it is not taken for printed text."""
    listing = soup.find("details", class_="code")
    code = [(_weight(listing.extract()), "the code of the notebook", "code")] if listing else []
    return code + [
        (_weight(element), f"{kind} {number} ({_start(element.get('alt') or element.get_text(' '))!r})", kind)
        for kind, names in _ELEMENTS.items()
        for number, element in enumerate(soup.select(names), start=1)
    ]


def _weight(element: Tag) -> int:
    return len(str(element).encode())


def _start(text: str) -> str:
    words = " ".join(text[:400].split())
    return words if len(words) <= 40 else f"{words[:40].rstrip()}..."
