"""Pages: safe, self-contained, reachable without a mouse, and the same bytes for the same notebook."""

import re
from dataclasses import replace
from html import escape

import pytest
from bs4 import BeautifulSoup
from cohort_facts import ABOUT as PLAIN
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.report import page
from analysis.report.parameters import parse

ABOUT = PLAIN | {"title": "Made-up <b>cohort</b>"}
DEFINITIONS = {"Relapse": "first progression <after> the start"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
PAYLOADS = [
    "<script>alert(1)</script>",
    "</style><style>*{display:none}",
    '"><img src=x onerror=alert(1)>',
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<svg onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "body{background:url(//example.org/x)}@import '//example.org/y';",
]


def notebook(*outputs, markdown="# Title\n\nA question?\n\n## Part\n\nText.", source="x = 1"):
    return new_notebook(cells=[new_markdown_cell(markdown), new_code_cell(source, outputs=list(outputs))])


def data(metadata=None, **kinds):
    named = {kind.replace("_", "/").replace("svg", "svg+xml"): value for kind, value in kinds.items()}
    return new_output("display_data", data=named, metadata=metadata or {})


def made(*outputs, about=ABOUT, **words):
    html = page.render(notebook(*outputs, **words), about, DEFINITIONS).html
    return BeautifulSoup(html, "html.parser"), html


def refused(*outputs, **words):
    with pytest.raises(page.PageError) as caught:
        page.render(notebook(*outputs, **words), ABOUT, DEFINITIONS)
    return str(caught.value)


def figure(alt="A line falls"):
    return data({"image/png": {"alt": alt}}, image_png=PIXEL, text_plain="<Figure size 1x1>")


def test_a_page_needs_nothing_from_outside_and_runs_no_script():
    soup, html = made(figure(), data(text_html="<table><tr><td>1</td></tr></table>"))
    assert not soup.find_all(["script", "link", "iframe", "object", "embed", "form"])
    assert not re.search(r"(src|href|action)=[\"']?(https?:)?//|@import|url\(", html)
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_a_page_has_language_title_one_heading_landmarks_and_a_way_past_the_header():
    soup, _ = made(figure())
    assert soup.html["lang"] == "en"
    assert soup.title.text == "Title - Made-up <b>cohort</b>"
    assert [h.text for h in soup.find_all("h1")] == ["Title"]
    assert soup.find(class_="question").text == "A question?"
    assert soup.find("a", class_="skip")["href"] == "#main"
    assert soup.find(id="main").name == "main"
    assert all(soup.find(name) for name in ("header", "nav", "main", "footer"))


def test_warnings_are_not_on_the_page_and_code_not_in_its_text():
    noise = new_output("stream", name="stderr", text="DeprecationWarning: noise")
    soup, html = made(noise, new_output("stream", name="stdout", text="said aloud"), source="some_name = 1")
    assert "noise" not in html
    assert "some_name" not in soup.main.get_text()
    assert "said aloud" in soup.main.get_text()


def test_code_waits_in_one_closed_fold_under_the_headings_it_stood_under():
    cells = [
        new_markdown_cell("# T"),
        new_code_cell("horizon: int = 60", metadata={"tags": ["parameters"]}),
        new_code_cell("horizon = 48", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell("## Part <b>\n\nText."),
        new_code_cell("a < '</code><script>'"),
        new_code_cell("b = 1"),
        new_code_cell(" "),
    ]
    soup = BeautifulSoup(page.render(new_notebook(cells=cells), ABOUT, DEFINITIONS).html, "html.parser")
    [fold] = soup.find_all("details")
    assert not fold.has_attr("open")
    assert fold.summary.text == "The code that made this page"
    assert [part.text for part in fold.find_all("pre")] == ["horizon: int = 60", "a < '</code><script>'\n\nb = 1"]
    assert [part.text for part in fold.find_all(class_="where")] == ["T", "Part <b>"]
    assert not soup.find("script")
    assert not made(source="")[0].find("details")


def test_every_heading_of_the_contents_can_be_reached():
    soup, _ = made(markdown="# T\n\n## One & two\n\n### Deep\n\n## One & two\n\n## Main")
    links = [link["href"] for link in soup.nav.find_all("a")]
    assert links == ["#one-two", "#deep", "#one-two-2", "#main-2"]
    assert all(len(soup.find_all(id=link[1:])) == 1 for link in links)


def test_header_and_footer_say_what_whom_when_and_with_what():
    [parameter] = parse("horizon_months: float = 60  # how far (months)")
    origin = {"versions": {"pandas": "2.3.3", "myeloma-relapse": "0.1.0"}, "commit": "abc123"}
    html = page.render(notebook(), ABOUT, DEFINITIONS, [(parameter, 48.0)], origin).html
    text = " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())
    for said in (
        "Synthetic data - no row is a real patient",
        "Made-up <b>cohort</b>",
        "Patients 5,000",
        "Period 2005 to 2020",
        "Days count from the first treatment",
        "Relapse first progression <after> the start",
        "horizon_months = 48 months (how far)",
        "pandas 2.3.3",
        "commit abc123",
        "ab" * 32,
        "How to cite Nobody.",
        "This page gives no medical advice",
    ):
        assert said in text


def test_a_real_cohort_is_marked_as_internal():
    soup, html = made(about=ABOUT | {"synthetic": False, "first_year": None, "last_year": None})
    assert soup.find(class_="banner").text.startswith("Internal: real patients; small counts are withheld")
    assert "Synthetic data" not in html
    assert "not stated" in html


def test_every_printed_sheet_says_what_kind_of_data_it_shows():
    real = ABOUT | {"synthetic": False}
    assert '@top-left { content: "Synthetic data"' in made()[0].style.string
    assert '@top-left { content: "Internal: real patients"' in made(about=real)[0].style.string
    mixed = [record("a", "ok"), record("b", "ok", synthetic=False)]
    assert '@top-left { content: "Internal: real patients"' in page.render_index("All", mixed, {})
    assert '@top-left { content: "Synthetic data"' in page.render_index("All", mixed[:1], {})


@pytest.mark.parametrize("alt", ["", "   ", None, "No description has been provided for this image"])
def test_a_figure_without_a_true_description_is_refused(alt):
    metadata = {} if alt is None else {"image/png": {"alt": alt}}
    assert "figure 1 has no alternative text" in refused(data(metadata, image_png=PIXEL))


@pytest.mark.parametrize(
    ("alt", "why"),
    [
        ("figure", "only names the figure"),
        ("Plot", "only names the figure"),
        ("An image of the figure 12", "only names the figure"),
        ("image1.png", "is a file name"),
        ("Output-3.SVG", "is a file name"),
        ("<Figure size 640x480 with 1 Axes>", "is the name of an object"),
        ("Text(0.5, 1.0, 'Relapse by line')", "is the name of an object"),
        ("Relapse curves", "too short to state a finding"),
    ],
)
def test_a_description_that_states_no_finding_is_refused_with_what_to_write(alt, why):
    said = refused(figure(alt), figure())
    assert f"figure 1: its alternative text {alt!r} {why}" in said or f"{alt!r} is {why}" in said
    assert "say in a sentence what the figure shows" in said
    assert "figure 2" not in said


def test_svg_figures_keep_their_description_and_need_one():
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    soup, _ = made(data({"image/svg+xml": {"alt": 'It says "so"'}}, image_svg=svg))
    assert soup.main.img["alt"] == 'It says "so"'
    assert soup.main.img["src"].startswith("data:image/svg+xml;base64,")
    assert "figure 1" in refused(data(image_svg=svg))


def test_figures_and_outputs_that_need_the_net_or_a_script_are_refused():
    assert "comes from outside" in refused(markdown="# T\n\n![a](https://example.org/a.png)")
    assert "vnd.plotly" in refused(new_output("display_data", data={"application/vnd.plotly.v1+json": {}}))
    assert "widget-view" in refused(
        new_output(
            "display_data", data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=1)"}
        )
    )


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("No heading", "expected one heading of level 1"),
        ("# One\n\n# Two", "came 2"),
        ("# T\n\n## A\n\n#### B", "heading 'B' jumps from level 2 to 4"),
        ("# T\n\n### B", "jumps from level 1 to 3"),
    ],
)
def test_headings_that_do_not_build_a_ladder_are_refused(markdown, said):
    assert said in refused(markdown=markdown)


def test_all_breaches_are_said_at_once():
    said = refused(data(image_png=PIXEL), data(image_png=PIXEL), markdown="text")
    assert said.count("  - ") == 3


FORMULA = r"\hat S(t) = \prod_{t_i \le t} \left(1 - \frac{d_i}{n_i}\right)"


@pytest.mark.parametrize("kind", ["text_markdown", "text_latex"])
@pytest.mark.parametrize(
    ("written", "display"),
    [("so ${}$ holds", "inline"), ("$${}$$", "block"), (r"\begin{{align}}{}\end{{align}}", "block")],
)
def test_a_formula_becomes_mathml_that_carries_its_source(kind, written, display):
    soup, html = made(data(**{kind: written.format(FORMULA)}))
    [formula] = soup.main.find_all("math")
    assert formula["display"] == display
    assert FORMULA in formula["alttext"]
    assert "∏" in formula.get_text()
    assert "\\" not in soup.main.get_text() and "$" not in soup.main.get_text()
    assert "data-formula" not in html
    box = formula.parent
    assert (box.get("tabindex"), box.get("aria-label")) == (("0", "Formula 1") if display == "block" else (None, None))


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (r"\relapse{x}", r"\relapse is not known"),
        (r"\frac{1", "its braces do not pair"),
        (r"\frac{1}", "lacks a part"),
        (r"x^2^3", "cannot be read"),
        (r"\begin{tikz}x\end{tikz}", "the environment 'tikz' is not known"),
        (r"a & b", "& stands outside a table"),
        (r"50% x", "a bare % hides what follows"),
        (r"\boxed{x}", "<menclose>"),
        (r"\href{javascript:alert(1)}{x}", "it sets href"),
        (r"\style{color:red}{x}", "it sets style"),
        (r"\color{red}{x}", "it sets mathcolor"),
    ],
)
def test_a_formula_that_cannot_be_set_is_refused_by_name(formula, why):
    said = refused(markdown=f"# T\n\nText ${formula}$ text.", source="")
    assert f"formula ${formula}$" in said
    assert why in said


def test_formulas_made_by_us_hold_no_markup():
    soup, _ = made(markdown=r"# T" + "\n\n" + r"$\text{<img src=x onerror=alert(1)>}<script>alert(1)</script>$")
    assert not soup.main.find_all(["img", "script"])
    assert "<img" in soup.main.math.get_text()


def test_headings_hold_no_formula():
    assert "holds a formula" in refused(markdown="# T\n\n## The $x$")
    assert "holds a formula" in refused(markdown="# The $x$")


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10 a day",
        "US$5 to US$10, or $5-$10",
        "between $ 5 and 6$ here",
        r"\$x\$",
        "`$x$` and `$$y$$`",
        "    $x$",
        "```\n$$x$$\n```",
    ],
)
def test_amounts_and_code_stay_text(text):
    soup, _ = made(markdown=f"# T\n\n## Part\n\n{text}")
    assert not soup.find("math")
    assert "$" in soup.main.get_text()


@pytest.mark.parametrize("kind", ["text_html", "text_plain", "stdout"])
def test_dollars_outside_of_markdown_stay_text(kind):
    output = new_output("stream", name="stdout", text="$x$") if kind == "stdout" else data(**{kind: "<p>$x$</p>"})
    soup, _ = made(output)
    assert not soup.find("math")
    assert "$x$" in soup.main.get_text()


def test_a_page_that_is_too_heavy_is_refused_with_its_largest_parts():
    import base64
    import random

    noise = base64.b64encode(random.Random(1).randbytes(1_600_000)).decode()
    heavy = data({"image/png": {"alt": "Half of them relapse"}}, image_png=noise)
    said = refused(figure(), heavy, data(text_html="<table><tr><td>1</td></tr></table>"))
    assert "the page has 2.1 MB, it may have 2 MB; largest are figure 2 ('Half of them relapse') 2.1 MB" in said
    assert "dots per inch" in said
    assert "print less" not in said and "0.0 MB" not in said


def test_printed_text_that_is_too_heavy_is_named_and_advised_on():
    printed = new_output("stream", name="stdout", text="patient 0001 of the list\n" * 100_000)
    said = refused(printed, figure())
    assert "largest are printed text 1 ('patient 0001 of the list patient 0001 of...') 2.5 MB; print less" in said
    assert "dots per inch" not in said and "0.0 MB" not in said


def test_long_tables_and_code_that_are_too_heavy_are_told_apart_from_printed_text():
    rows = "".join(f"<tr><td>{number}{'x' * 8000}</td></tr>" for number in range(300))
    said = refused(data(text_html=f"<table>{rows}</table>"), source="x = 1  # long\n" * 40_000)
    assert "largest are table 1 ('0xxx" in said and "the code of the notebook 0.6 MB" in said
    assert "show fewer rows; part the notebook in two" in said and "print" not in said


ACTIVE = re.compile("<script|<iframe")


@pytest.mark.parametrize(
    ("html", "named"),
    [
        ("<div id='x'></div><script type='text/javascript'>Plotly.newPlot('x')</script>", "<script>"),
        ("<IFRAME srcdoc='x'></IFRAME>", "<iframe>"),
        ("<p>before</p><object data='a.pdf'></object>", "<object>"),
        ("<video src='data:video/mp4;base64,AA'></video>", "<video>"),
        ("<table><tr><td><canvas></canvas></td></tr></table>", "<canvas>"),
    ],
)
def test_html_that_needs_a_script_is_refused_and_not_shown_as_text_beside_an_empty_box(html, named):
    said = refused(data(text_html=html, text_plain="<Chart>"))
    assert said == (
        f"  - cell 2: an output of kind text/html with {named} needs a script to be seen; "
        "show a matplotlib figure or a plain table instead"
    )


def test_markup_in_the_cells_of_a_table_is_data():
    from analysis.present.tables import table

    html = table("Drugs <script>", [("drug", "text")], [["<script>alert(1)</script>"], ["<iframe>"]]).data
    soup, _ = made(data(text_html=html))
    assert [cell.text for cell in soup.select("tbody th")] == ["<script>alert(1)</script>", "<iframe>"]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", ["text_html", "text_markdown", "text_plain", "text_latex", "stdout"])
def test_markup_out_of_data_comes_out_as_text(payload, kind):
    if kind == "stdout":
        output = new_output("stream", name="stdout", text=f"drug {payload}")
    else:
        text = escape(payload) if ACTIVE.search(payload) else payload  # as every table of a library sets it
        output = data(**{kind: f"<p onclick='x()' style='color:red'>drug {text}</p>" if "html" in kind else payload})
    soup, _ = made(output)
    plain, _ = made()
    assert {tag.name for tag in soup.find_all(True)} - {tag.name for tag in plain.find_all(True)} <= {"pre", "p", "div"}
    assert not [name for tag in soup.main.find_all(True) for name in tag.attrs if name.startswith(("on", "style"))]
    assert re.sub(r"[\s\"]", "", payload) in re.sub(r"[\s\"]", "", soup.main.get_text())


ELEMENTS = {"script", "img", "iframe", "math", "svg", "mtext"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_comes_out_as_text_wherever_a_page_takes_text(payload):
    """Facts, definitions, parameters, versions, headings, captions, code, alternative texts: every door at once."""
    fields = ("title", "source", "citation", "licence", "release", "time_zero", "fingerprint", "first_year")
    about = ABOUT | dict.fromkeys(fields, payload)
    parameter = replace(parse("x: str = 'a'  # help (unit)")[0], name=payload, help=payload, unit=payload)
    origin = {"versions": {payload: payload, "myeloma-relapse": payload}, "commit": payload}
    table = f"<table><caption>{escape(payload)}</caption><tr><td>{escape(payload)}</td></tr></table>"
    cells = notebook(
        data({"image/png": {"alt": f"It says {payload}"}}, image_png=PIXEL),
        data(text_html=table),
        markdown=f"# Title {payload}\n\nWhy {payload}?\n\n## Part {payload}\n\n- {payload}\n\n> {payload}",
        source=payload,
    )
    html = page.render(cells, about, {payload: payload}, [(parameter, [payload])], origin).html
    soup = BeautifulSoup(html, "html.parser")
    assert len(soup.find_all("style")) == 1 and soup.style.parent is soup.head
    assert [tag.name for tag in soup.find_all(ELEMENTS)] == ["img"]  # the figure
    assert not [name for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on") or name == "style"]
    assert soup.main.img["alt"] == f"It says {payload}"
    assert plain(soup.find("div", class_="scroll")["aria-label"]) == plain(f"Table 1: {payload}")
    assert plain(soup.get_text()).count(plain(payload)) >= 20


def plain(text):
    return re.sub(r'[\s"]', "", text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_records_comes_out_as_text_in_the_index(payload):
    cohort = {"name": payload, "title": payload, "synthetic": True, "fingerprint": payload}
    built = {"title": payload, "question": payload, "cohort": cohort}
    records = [
        {"notebook": payload, "status": status, "message": payload, "cohort": cohort, "page": made_before}
        for status, made_before in [("ok", built), ("failed", built), ("killed", None), ("skipped", None)]
    ]
    soup = BeautifulSoup(page.render_index(payload, records, {payload: payload}), "html.parser")
    assert not soup.find_all(ELEMENTS)
    assert len(soup.find_all("style")) == 1
    assert plain(soup.get_text()).count(plain(payload)) >= 12


def test_classes_out_of_data_cannot_borrow_the_look_of_a_banner():
    soup, _ = made(data(text_html='<p class="banner real">x</p><p class="skip note">y</p>'))
    assert [tag.get("class") for tag in soup.main.find_all("p")[1:]] == [None, ["note"]]


def test_tables_tell_what_their_cells_belong_to_and_can_be_scrolled_from_the_keyboard():
    table = (
        '<table id="x" border="1"><caption>Who relapsed</caption><thead>'
        "<tr><th></th><th>patients</th><th>drug</th></tr></thead>"
        "<tbody><tr><th>line 1</th><td>12 (3.4%)</td><td>bortezomib</td></tr></tbody></table>"
    )
    soup, _ = made(data(text_html=table))
    assert [cell["scope"] for cell in soup.find_all("th")] == ["col", "col", "row"]
    assert all(cell.text for cell in soup.find_all("th"))
    box = soup.table.parent
    assert (box["tabindex"], box["role"], box["aria-label"]) == ("0", "region", "Table 1: Who relapsed")
    assert [cell.text for cell in soup.find_all(class_="number")] == ["patients", "12 (3.4%)"]
    assert not soup.table.get("id")


def test_strange_spans_and_scopes_are_mended():
    table = '<table><tr><th colspan="x" scope="page">a</th><th scope="row">b</th></tr><tr><td>1</td></tr></table>'
    soup, _ = made(data(text_html=table), data(text_html=table))
    assert [cell["scope"] for cell in soup.find_all("th")[:2]] == ["row", "row"]
    labels = [box["aria-label"] for box in soup.find_all(class_="scroll")]
    assert labels == ["Table 1", "Table 2"]


def test_rows_of_one_group_and_long_texts_are_marked_for_the_eye():
    rows = [("line 1", "relapse"), ("line 1", "start of the next line without relapse"), ("line 2", "relapse")]
    body = "".join(f"<tr><th>{head}</th><td>{text}</td></tr>" for head, text in rows)
    soup, _ = made(data(text_html=f"<table><tbody>{body}</tbody></table>"))
    assert soup.table["class"] == ["grouped", "keyed"]
    assert [row.get("class") for row in soup.find_all("tr")] == [["first"], None, ["first"]]
    assert [head.get("class") for head in soup.find_all("th")] == [None, ["again"], None]
    assert [cell.text for cell in soup.find_all(class_="long")] == [rows[1][1]]
    alone, _ = made(data(text_html="<table><tbody><tr><th>a head of more than twenty signs</th></tr></tbody></table>"))
    assert not alone.table.get("class")


def test_wide_tables_say_that_they_slide_and_regimens_break_between_drugs():
    row = "<tr><th>line 1</th><td>bortezomib+dexamethasone+lenalidomide</td><td>5</td><td>3 %</td></tr>"
    soup, html = made(data(text_html=f"<table>{row}</table>"), data(text_html="<table><tr><td>1</td></tr></table>"))
    assert [box["class"] for box in soup.select(".scroll")] == [["scroll", "many"], ["scroll"]]
    assert "bortezomib+<wbr/>dexamethasone+<wbr/>lenalidomide" in html
    assert soup.select("td.long")[0].text == "bortezomib+dexamethasone+lenalidomide"
    assert "Slide sideways to see the whole table" in soup.style.string


def test_a_range_of_numbers_is_never_parted_at_the_end_of_a_line():
    said = (
        "Half within 5.6 months (4.4–8.2\u00a0months), 1–7\u00a0patients, 36.4–39.8\u00a0%, -1.2–3; pages a–b, `1–2`."
    )
    soup, _ = made(markdown=f"# T\n\n## Part\n\n{said}")
    kept = ["(4.4–8.2\u00a0months)", "1–7\u00a0patients", "36.4–39.8\u00a0%", "-1.2–3"]
    assert [span.text for span in soup.select(".range")] == kept
    assert soup.main.p.text == said.replace("`", "")  # what a reader copies is as it was
    assert re.search(r"\.range \{[^}]*white-space: nowrap", soup.style.string)


def test_on_paper_a_figure_stays_with_the_heading_and_the_sentence_that_lead_to_it():
    soup, _ = made(figure(), markdown="# T\n\nA question?\n\nFirst.\n\n## Part\n\nLead.")
    [box] = soup.select(".together")
    assert [part.name for part in box.find_all(True, recursive=False)] == ["h2", "p", "figure"]
    assert soup.nav.a["href"] == f"#{box.h2['id']}"
    assert re.search(r"\.together \{ break-inside: avoid", soup.style.string)
    bare, _ = made(figure(), markdown="# T\n\n## Part")
    assert [part.name for part in bare.select_one(".together").find_all(True, recursive=False)] == ["h2", "figure"]
    for apart in ("# T\n\n## Part\n\nOne.\n\nTwo.", "# T\n\nOne.\n\nTwo."):
        assert not made(figure(), markdown=apart)[0].select(".together")


def test_on_paper_a_note_stays_with_its_table():
    style = made()[0].style.string.partition("@media print")[2]
    assert ".scroll:has(+ .note) { break-after: avoid; }" in style


def test_that_a_page_gives_no_advice_is_said_at_its_head_and_at_its_end():
    for html, text in (
        (made()[1], "this page gives no medical advice"),
        (page.render_index("All", [record("a", "ok")], {}), "these pages give no medical advice"),
    ):
        soup = BeautifulSoup(html, "html.parser")
        assert text in soup.header.text
        assert text in soup.footer.text.lower()


def test_a_table_that_marks_its_own_numbers_is_left_as_it_is():
    table = '<table><tr><td class="number">1</td><td>2</td></tr></table>'
    assert str(made(data(text_html=table))[0].table).count("number") == 1


@pytest.mark.parametrize(("text", "marked"), [("-1.5", True), ("< 8", True), ("t(4;14)", False), ("2 years", False)])
def test_figures_are_told_from_words(text, marked):
    soup, _ = made(data(text_html=f"<table><tr><td>{text.replace('<', '&lt;')}</td></tr></table>"))
    assert bool(soup.find(class_="number")) == marked


def test_words_that_lead_to_a_list_are_no_question():
    soup, _ = made(markdown="# T\n\nThis page shows\n\n- one\n- two")
    assert not soup.find(class_="question")
    assert "This page shows" in soup.main.text


def test_the_same_notebook_gives_the_same_bytes_whatever_the_ids_of_its_cells():
    first, second = (made(figure(), data(text_html="<table><tr><td>1</td></tr></table>"))[1] for _ in range(2))
    assert first == second


def test_a_pandas_table_loses_its_style_sheet_and_nothing_else():
    pandas = (
        "<div>\n<style scoped>\n .dataframe th {}\n</style>\n<table class='dataframe'><tr><td>1</td></tr></table></div>"
    )
    soup, _ = made(data(text_html=pandas))
    assert soup.main.get_text().split() == ["Part", "Text.", "1"]


def record(name, status, made=True, synthetic=True):
    cohort = {"name": "c", "title": "A <cohort>", "synthetic": synthetic, "fingerprint": "ab"}
    built = {"title": f"Title of {name}", "question": "Why?", "cohort": cohort} if made else None
    return {"notebook": name, "status": status, "message": "a patient's value", "cohort": cohort, "page": built}


def test_the_index_lists_pages_with_cohort_and_status():
    records = [record("a", "ok"), record("b", "failed"), record("c", "killed", made=False), record("d", "skipped")]
    records += [record("e", "interrupted"), record("f", "timed-out")]
    soup = BeautifulSoup(page.render_index("All", records, DEFINITIONS), "html.parser")
    assert [link["href"] for link in soup.main.find_all("a")] == ["a.html", "b.html", "d.html", "e.html", "f.html"]
    text = [" ".join(item.get_text(" ").split()) for item in soup.main.ol.find_all("li")]
    assert text[0] == "Title of a Why? A <cohort>, synthetic - the last run ended well"
    assert "the last run failed; this page is from an earlier run" in text[1]
    assert "runs/b.json" in text[1]
    assert "a patient's value" not in text[1]
    assert text[2].startswith("c A <cohort>, synthetic - no page: the run was killed")
    assert "the last run was interrupted" in text[4]
    assert "the last run ran out of time" in text[5]
    assert [h.text for h in soup.find_all("h1")] == ["All"]


def test_the_index_warns_when_any_cohort_in_it_is_real():
    html = page.render_index("All", [record("a", "ok"), record("b", "failed", made=False, synthetic=False)], {})
    assert "Internal: real patients" in html
    assert "Synthetic data" in html
