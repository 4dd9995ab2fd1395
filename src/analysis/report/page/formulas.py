r"""Formulas of Markdown as MathML, which browsers set without a script.

While Markdown becomes HTML, a formula leaves a mark in its place; `insert` puts the MathML there after everything else
has passed the gates. So only what this file made is ever MathML on a page: `<math>` out of data stays text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MARK = "data-formula"
# `$5 and $10` are amounts: a formula neither begins nor ends with a blank, and no figure follows it
INLINE = r"(?<![\\$\w])\$(?![\s$])(?P<math_inline_tex>(?:\\.|[^\\$`])+?)(?<!\s)\$(?![\w$])"
_ELEMENTS = {
    *("math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "mspace", "msqrt", "mstyle"),
    *("msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"),
}
_PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
_ATTRIBUTES = {
    *("accent", "accentunder", "columnalign", "columnspacing", "display", "displaystyle", "fence", "form", "height"),
    *("linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rowspacing", "rspace"),
    *("scriptlevel", "stretchy", "symmetric", "voffset", "width"),
}
# which the converter knows; it also numbers the lines of `align`, anew in each formula, but not of `align*`
_ENVIRONMENTS = {
    *("align*", "array", "bmatrix", "Bmatrix", "cases", "matrix", "pmatrix", "smallmatrix", "split", "vmatrix"),
    "Vmatrix",
}
_ALIGNED = r"\\(begin|end)\{(?:align|aligned)\}"
_EQUATION = r"\\(?:begin|end)\{equation\*?\}"


@dataclass
class Formulas:
    """The formulas of one page, in the order in which Markdown came upon them, and what is wrong with any."""

    made: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def inline(self, latex: str) -> str:
        """The mark of a formula within a line."""
        return self._mark(latex, "inline")

    def block(self, latex: str) -> str:
        """The mark of a formula on a line of its own."""
        return self._mark(latex, "block")

    def environment(self, name: str, body: str) -> str:
        r"""The mark of `\begin{name}...\end{name}`, which stands on a line of its own."""
        return self._mark(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def _mark(self, latex: str, display: str) -> str:
        try:
            self.made.append(mathml(latex, display))
        except ValueError as error:
            self.faults.append(str(error))
            return ""
        return f'<span {MARK}="{len(self.made) - 1}"></span>'


def mathml(latex: str, display: str = "inline") -> str:
    r"""A formula in LaTeX as safe MathML, its source as alternative text; `display` is "inline" or "block".

    Example
    -------
    >>> print(mathml(r"\beta < 1"))
    <math display="inline" alttext="\beta &lt; 1"><mrow><mi>β</mi><mo>&lt;</mo><mn>1</mn></mrow></math>

    Raises
    ------
    ValueError
        naming the formula and what in it cannot be set, so that no reader meets raw LaTeX.
    """
    from xml.etree import ElementTree

    from latex2mathml.converter import convert_to_element

    latex = " ".join(latex.split())
    plain = re.sub(_EQUATION, "", re.sub(_ALIGNED, r"\\\1{align*}", latex)).strip()
    reason = _unreadable(plain)
    if not reason:
        try:
            element = convert_to_element(plain, display=display)
        except Exception as error:  # the converter has an error for each mistake, and knows not all of them
            reason = f"it cannot be read ({type(error).__name__})"
        else:
            reason = _settle(element)
    if reason:
        raise ValueError(f"formula ${latex}$: {reason}; write it with plainer commands, or say it in words")
    element.attrib = {"display": display, "alttext": latex}
    return ElementTree.tostring(element, encoding="unicode", short_empty_elements=False)


def _unreadable(latex: str) -> str:
    """What is wrong with the source, where the converter would guess or leave something out."""
    bare = re.sub(r"\\[\\{}%&$#_]", "", latex)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        return "its braces do not pair"
    if "%" in bare:
        return r"a bare % hides what follows it, \% does not"
    if strange := [name for name in re.findall(r"\\begin\{([^}]*)\}", latex) if name not in _ENVIRONMENTS]:
        return f"the environment {strange[0]!r} is not known"
    return "" if latex else "it is empty"


def _settle(root: Element) -> str:
    """Make text of entities, in place; returns what may not be on a page."""
    for element in root.iter():
        element.text = html.unescape(element.text or "")
        if element.tag not in _ELEMENTS:
            return f"it needs the element <{element.tag}>, which not every browser sets"
        if element is not root and (strange := set(element.attrib) - _ATTRIBUTES):
            return f"it sets {', '.join(sorted(strange))}, which pages do not allow"
        if len(element) != _PARTS.get(element.tag, len(element)):
            return "a fraction, root, or index lacks a part"
        if command := re.search(r"\\[A-Za-z]+", element.text):
            return f"{command[0]} is not known"
        if element.tag in ("mi", "mo") and element.text == "&":
            return "& stands outside a table"
    return ""


def insert(soup: BeautifulSoup, made: list[str]) -> None:
    """Put each formula where its mark stands; one on a line of its own scrolls sideways, by keyboard too."""
    for mark in soup.find_all(attrs={MARK: True}):
        code = made[int(mark[MARK])]
        del mark[MARK]
        formula = BeautifulSoup(code, "html.parser").math
        if formula["display"] == "block":
            number = len(soup.find_all("span", class_="formula")) + 1
            mark.attrs = {"class": "formula", "tabindex": "0", "role": "group", "aria-label": f"Formula {number}"}
            mark.append(formula)
        else:
            mark.replace_with(formula)
