"""The inside of a page: nbconvert's basic body, code left out, made safe, plain and reachable."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup

from analysis.report.page import formulas, headings, listing, pictures, ranges, tables
from analysis.report.page.faults import PageError
from analysis.report.page.formulas import Formulas

_TEXT_TAGS = {"a", "abbr", "b", "blockquote", "br", "code", "del", "div", "em", "hr", "i", "p", "pre", "s", "small"}
_LIST_TAGS = {"dd", "details", "dl", "dt", "figcaption", "figure", "h2", "h3", "h4", "li", "ol", "summary", "ul"}
_TABLE_TAGS = {"caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_TAGS = _TEXT_TAGS | _LIST_TAGS | _TABLE_TAGS | {"span", "strong", "sub", "sup", "u"}
_BODY_TAGS = _TAGS | {"h1", "h5", "h6", "img"}
_ATTRIBUTES = {
    "*": ["class", "title"],
    "a": ["href"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "col": ["span"],
    "colgroup": ["span"],
}
_CLASSES = {"note", "number", "result"}  # the tables' own; another could borrow the look of a banner, or hide a text
_SHOWN = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain")
_SCRIPTED = re.compile(r"javascript|widget|plotly|vega|bokeh|holoviews", re.IGNORECASE)
_ACTIVE = ("applet", "audio", "canvas", "embed", "frame", "iframe", "object", "script", "video")
_PANDAS_STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)
_WRAPPERS = {"cell", "inner_cell", "text_cell_render", "output_wrapper", "output", "output_area", "output_subarea"}


@dataclass(frozen=True)
class Body:
    """The inside of a page, its title and question taken out, its contents list, and the code behind it."""

    title: str
    question: str
    html: str
    contents: list[headings.Heading]
    code: list[listing.Part]


def make_body(notebook: Any) -> Body:
    """What does the reader of an executed notebook get to see? Text, tables and figures, without code and warnings.

    Raises
    ------
    PageError
        as `page.render` says.
    """
    shown, faults = _prepared(notebook)
    found = Formulas()
    soup = BeautifulSoup(_basic_body(shown, found), "html.parser")
    faults += found.faults
    pictures.settle(soup, faults)
    _unwrap(soup)
    _keep_safe(soup, faults)
    title, question = headings.take_title(soup, faults)
    contents = headings.take_contents(soup, faults)
    if faults:
        raise PageError(faults)
    pictures.keep_with_lead(soup)
    tables.settle(soup)
    ranges.settle(soup)
    formulas.insert(soup, found.made)
    html = re.sub(r"\n\s*\n+", "\n", soup.decode()).strip()
    return Body(title, question, html, contents, listing.make(notebook))


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
            if not unseen and "text/html" in data:
                unseen = [f"text/html with <{name}>" for name in _active(data["text/html"])]
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
            pictures.inline_svg(output)
            if "text/latex" in data:
                data.setdefault("text/markdown", data.pop("text/latex"))  # one reader for all formulas
        if "outputs" in cell:
            cell.outputs = outputs
    shown.metadata.pop("widgets", None)
    return shown, faults


def _active(html: str) -> list[str]:
    """Which elements of an HTML output would run or load something? Markup that a table has escaped is none."""
    found = {element.name for element in BeautifulSoup(html, "html.parser").find_all(_ACTIVE)}
    return [name for name in _ACTIVE if name in found]


def _basic_body(notebook: Any, found: Formulas) -> str:
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

    def markdown(source: str) -> str:
        # HTML in Markdown is shown as text: a sentence may carry a name out of the data.
        renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
        renderer.inline_math, renderer.block_math = found.inline, found.block
        renderer.latex_environment = found.environment
        inline = MathInlineParser(hard_wrap=False)
        inline.specification["inline_math_tex"] = formulas.INLINE
        return MarkdownWithMath(renderer=renderer, inline=inline).render(source)

    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    exporter.log.setLevel("ERROR")  # a missing alternative text is refused below, not warned of
    exporter.register_filter("markdown2html", markdown)
    body, _ = exporter.from_notebook_node(notebook)
    return body


def _unwrap(soup: BeautifulSoup) -> None:
    """Take nbconvert's nested boxes away; what they held stays."""
    for box in soup.find_all("div"):
        if _WRAPPERS & set(box.get("class", [])):
            box.unwrap()


def _keep_safe(soup: BeautifulSoup, faults: list[str]) -> None:
    """The last gate behind escaping and cleaning: it should never find anything but strange classes."""
    for element in soup.find_all(True):
        if element.name not in _BODY_TAGS:
            faults.append(f"unsafe element <{element.name}>; show plain text, a table or a figure")
        for name in [name for name in element.attrs if name.startswith("on") or name in ("style", "id", "srcset")]:
            del element[name]
        kept = [name for name in element.get("class", []) if name in _CLASSES]
        element.attrs.pop("class", None)
        if kept:
            element["class"] = kept
