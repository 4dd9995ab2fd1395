"""How heavy a page may be: what mail and records systems of hospitals still let through."""

from __future__ import annotations

from bs4 import BeautifulSoup

LARGEST_PAGE_BYTES = 2_000_000


def fault_of(page: str, largest_bytes: int = LARGEST_PAGE_BYTES) -> str:
    """What makes a page too large, its heaviest figures and tables first; empty when it is light enough.

    Example
    -------
    >>> fault_of("<p>short</p>")
    ''
    """
    size = len(page.encode())
    if size <= largest_bytes:
        return ""
    soup = BeautifulSoup(page, "html.parser")
    parts = [
        (len(str(element).encode()), f"{word} {number} ({_start(text)!r})")
        for word, name in (("figure", "img"), ("table", "table"))
        for number, element in enumerate(soup.find_all(name), start=1)
        for text in [element.get("alt") or element.get_text(" ")]
    ]
    listing = soup.find("details", class_="code")
    parts.append((len(str(listing).encode()) if listing else 0, "the code of the notebook"))
    heaviest = [f"{part} {weight / 1e6:.1f} MB" for weight, part in sorted(parts, reverse=True)[:3]]
    return (
        f"the page has {size / 1e6:.1f} MB, it may have {largest_bytes / 1e6:g} MB; largest are {', '.join(heaviest)}; "
        "draw figures at fewer dots per inch or as PNG instead of SVG, show fewer rows, or part the notebook in two"
    )


def _start(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 40 else f"{words[:40].rstrip()}..."
