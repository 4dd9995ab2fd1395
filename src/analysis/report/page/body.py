"""The inside of a page: nbconvert's basic body, code left out, made safe, plain and reachable."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag

_TEXT_TAGS = {"a", "abbr", "b", "blockquote", "br", "code", "del", "div", "em", "hr", "i", "p", "pre", "s", "small"}
_LIST_TAGS = {"dd", "details", "dl", "dt", "figcaption", "figure", "h2", "h3", "h4", "li", "ol", "summary", "ul"}
_TABLE_TAGS = {"caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_TAGS = _TEXT_TAGS | _LIST_TAGS | _TABLE_TAGS | {"span", "strong", "sub", "sup", "u"}
_BODY_TAGS = _TAGS | {"h1", "h5", "h6", "img"}
_ATTRIBUTES = {
    "*": ["class", "title", "lang"],
    "a": ["href"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "col": ["span"],
    "colgroup": ["span"],
}
_SHOWN = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain")
_SCRIPTED = re.compile(r"javascript|widget|plotly|vega|bokeh|holoviews", re.IGNORECASE)
_PANDAS_STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)
_FIGURE = re.compile(r"[-\u2212+<>\u2264\u2265~ ]*\d[^A-Za-z]*$")
_PLACEHOLDER = "No description has been provided"
_WRAPPERS = {"cell", "inner_cell", "text_cell_render", "output_wrapper", "output", "output_area", "output_subarea"}


class PageError(ValueError):
    """A page breaks rules of the house; the message lists every breach and what to do in the notebook."""

    def __init__(self, faults: Iterable[str]):
        self.faults = list(faults)
        super().__init__("\n".join(f"  - {fault}" for fault in self.faults))


@dataclass(frozen=True)
class Heading:
    """An entry of the contents list."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Body:
    """The inside of a page, its title and question taken out, and its contents list."""

    title: str
    question: str
    html: str
    contents: list[Heading]


def make_body(notebook: Any) -> Body:
    """What does the reader of an executed notebook get to see? Text, tables and figures, without code and warnings.

    Raises
    ------
    PageError
        as `page.render` says.
    """
    shown, faults = _prepared(notebook)
    soup = BeautifulSoup(_basic_body(shown), "html.parser")
    _figures(soup, faults)
    _unwrap(soup)
    _keep_safe(soup, faults)
    title, question = _title(soup, faults)
    contents = _headings(soup, faults)
    if faults:
        raise PageError(faults)
    _tables(soup)
    html = re.sub(r"\n\s*\n+", "\n", soup.decode()).strip()
    return Body(title, question, html, contents)


def _prepared(notebook: Any) -> tuple[Any, list[str]]:
    """A copy without warnings, with HTML outputs reduced to safe elements: what is not allowed shows as text."""
    import bleach

    shown, faults = copy.deepcopy(notebook), []
    for number, cell in enumerate(shown.cells, start=1):
        outputs = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
        for output in outputs:
            data = output.get("data", {})
            unseen = [kind for kind in data if _SCRIPTED.search(kind)] or (
                [] if set(data) & set(_SHOWN) else list(data)
            )
            if unseen:
                faults.append(
                    f"cell {number}: an output of kind {', '.join(unseen)} needs a script to be seen; "
                    "show a matplotlib figure or a plain table instead"
                )
                output["data"] = data = {"text/plain": ""}
            if "text/html" in data:
                plain = _PANDAS_STYLE.sub("", data["text/html"])
                data["text/html"] = bleach.clean(
                    plain, tags=_TAGS, attributes=_ATTRIBUTES, protocols=["http", "https", "mailto"]
                )
                output.get("metadata", {}).pop("text/html", None)
            _alternative_text_of_svg(output)
        if "outputs" in cell:
            cell.outputs = outputs
    shown.metadata.pop("widgets", None)
    return shown, faults


def _alternative_text_of_svg(output: Any) -> None:
    """nbconvert forgets the alternative text of SVG figures: carry it as an <img> of our own making."""
    import base64
    import html

    svg = output.get("data", {}).get("image/svg+xml")
    if svg and "text/html" not in output["data"]:
        alt = html.escape(output.get("metadata", {}).get("image/svg+xml", {}).get("alt", ""), quote=True)
        code = base64.b64encode(svg.encode()).decode()
        output["data"] = {"text/html": f'<img src="data:image/svg+xml;base64,{code}" alt="{alt}">'}


def _basic_body(notebook: Any) -> str:
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    def markdown(source: str) -> str:
        # HTML in Markdown is shown as text: a sentence may carry a name out of the data.
        renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
        return MarkdownWithMath(renderer=renderer).render(source)

    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    exporter.log.setLevel("ERROR")  # a missing alternative text is refused below, not warned of
    exporter.register_filter("markdown2html", markdown)
    body, _ = exporter.from_notebook_node(notebook)
    return body


def _figures(soup: BeautifulSoup, faults: list[str]) -> None:
    for number, image in enumerate(soup.find_all("img"), start=1):
        alt = " ".join(image.get("alt", "").split())
        if not alt or _PLACEHOLDER in alt:
            faults.append(
                f"figure {number} has no alternative text; show it by "
                'display(figure, metadata={"image/png": {"alt": "what the figure says"}}) and plt.close(figure)'
            )
        image["alt"] = alt
        if not image.get("src", "").startswith("data:image/"):
            faults.append(f"figure {number} comes from outside ({image.get('src', '')[:60]}); draw it in the notebook")
        if image.parent.name == "div":
            # on a narrow screen the figure scrolls sideways, by keyboard too
            image.wrap(soup.new_tag("figure", attrs={"tabindex": "0"}))


def _unwrap(soup: BeautifulSoup) -> None:
    """Take nbconvert's nested boxes away; what they held stays."""
    for box in soup.find_all("div"):
        if _WRAPPERS & set(box.get("class", [])):
            box.unwrap()


def _keep_safe(soup: BeautifulSoup, faults: list[str]) -> None:
    """The last gate behind escaping and cleaning: it should never find anything."""
    for element in soup.find_all(True):
        if element.name not in _BODY_TAGS:
            faults.append(f"unsafe element <{element.name}>; show plain text, a table or a figure")
        for name in [name for name in element.attrs if name.startswith("on") or name in ("style", "id", "srcset")]:
            del element[name]


def _title(soup: BeautifulSoup, faults: list[str]) -> tuple[str, str]:
    """The one h1 and the sentence after it, both taken out of the body."""
    tops = soup.find_all("h1")
    if len(tops) != 1:
        faults.append(f"expected one heading of level 1 (`# ...`) as the title, came {len(tops)}")
        return "", ""
    following = tops[0].find_next_sibling(True)
    question = ""
    if following is not None and following.name == "p" and _text(following).endswith((".", "?", "!")):
        question = _text(following)  # not the words that only lead to a list
        following.extract()
    tops[0].extract()
    return _text(tops[0]), question


def _headings(soup: BeautifulSoup, faults: list[str]) -> list[Heading]:
    """Give each heading an anchor and list those of level 2 and 3; a jump from 2 to 4 is a fault."""
    contents, taken, before = [], {"contents", "main"}, 1
    for heading in soup.find_all(re.compile(r"^h[2-6]$")):
        level, text = int(heading.name[1]), _text(heading)
        if level > before + 1:
            faults.append(f"heading {text!r} jumps from level {before} to {level}; use level {before + 1}")
        before = level
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


def _tables(soup: BeautifulSoup) -> None:
    """Header cells with their scope, figures set as figures, and a box that scrolls and that a keyboard reaches."""
    for number, table in enumerate(soup.find_all("table"), start=1):
        for cell in table.find_all("th"):
            if not _text(cell):
                cell.name = "td"
                cell.attrs.pop("scope", None)
            elif not cell.get("scope"):
                span, word = ("colspan", "col") if cell.find_parent("thead") else ("rowspan", "row")
                cell["scope"] = f"{word}group" if int(cell.get(span, 1)) > 1 else word
        if not table.find(class_="number"):
            _number_columns(table)
        caption = table.find("caption")
        label = f"Table {number}" + (f": {_text(caption)}" if caption else "")
        table.wrap(
            soup.new_tag("div", attrs={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": label})
        )


def _number_columns(table: Tag) -> None:
    """Mark cells that hold figures, and the heads of the columns that hold mostly figures."""
    rows = [row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr")]
    figures: dict[int, list[bool]] = {}
    for row in rows:
        for position, cell in enumerate(row):
            if cell.name == "td" and cell.find_parent("thead") is None:
                is_figure = bool(_FIGURE.match(_text(cell)))
                figures.setdefault(position, []).append(is_figure)
                if is_figure:
                    cell["class"] = [*cell.get("class", []), "number"]
    for row in rows:
        for position, cell in enumerate(row):
            held = figures.get(position, [])
            if cell.get("scope") == "col" and sum(held) * 2 > len(held):
                cell["class"] = [*cell.get("class", []), "number"]


def _text(element: Tag) -> str:
    return " ".join(element.get_text().split())
