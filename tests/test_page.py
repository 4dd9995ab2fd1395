"""Pages: safe, self-contained, reachable without a mouse, and the same bytes for the same notebook."""

import re

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


def test_code_and_warnings_are_not_on_the_page():
    noise = new_output("stream", name="stderr", text="DeprecationWarning: noise")
    _, html = made(noise, new_output("stream", name="stdout", text="said aloud"), source="secret_name = 1")
    assert "noise" not in html
    assert "secret_name" not in html
    assert "said aloud" in html


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
        "days from the first treatment",
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


@pytest.mark.parametrize("alt", ["", "   ", None, "No description has been provided for this image"])
def test_a_figure_without_a_true_description_is_refused(alt):
    metadata = {} if alt is None else {"image/png": {"alt": alt}}
    assert "figure 1 has no alternative text" in refused(data(metadata, image_png=PIXEL))


def test_svg_figures_keep_their_description_and_need_one():
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    soup, _ = made(data({"image/svg+xml": {"alt": 'Says "so"'}}, image_svg=svg))
    assert soup.main.img["alt"] == 'Says "so"'
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


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", ["text_html", "text_markdown", "text_plain", "text_latex", "stdout"])
def test_markup_out_of_data_comes_out_as_text(payload, kind):
    if kind == "stdout":
        output = new_output("stream", name="stdout", text=f"drug {payload}")
    else:
        output = data(**{kind: f"<p onclick='x()' style='color:red'>drug {payload}</p>" if "html" in kind else payload})
    soup, _ = made(output)
    plain, _ = made()
    assert {tag.name for tag in soup.find_all(True)} - {tag.name for tag in plain.find_all(True)} <= {"pre", "p", "div"}
    assert not [name for tag in soup.main.find_all(True) for name in tag.attrs if name.startswith(("on", "style"))]
    assert re.sub(r"[\s\"]", "", payload) in re.sub(r"[\s\"]", "", soup.main.get_text())


def test_markup_in_the_facts_of_a_cohort_comes_out_as_text():
    about = ABOUT | dict.fromkeys(("title", "source", "citation", "licence", "release", "time_zero"), PAYLOADS[0])
    soup, html = made(about=about)
    assert not soup.find_all("script")
    assert html.count("&lt;script&gt;") >= 6


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
    soup = BeautifulSoup(page.render_index("All", records, DEFINITIONS), "html.parser")
    assert [link["href"] for link in soup.main.find_all("a")] == ["a.html", "b.html", "d.html"]
    text = [" ".join(item.get_text(" ").split()) for item in soup.main.ol.find_all("li")]
    assert text[0] == "Title of a Why? A <cohort> (synthetic)"
    assert "the last run failed; this page is from an earlier run" in text[1]
    assert "runs/b.json" in text[1]
    assert "a patient's value" not in text[1]
    assert text[2].startswith("c No page: the run was killed.")
    assert [h.text for h in soup.find_all("h1")] == ["All"]


def test_the_index_warns_when_any_cohort_in_it_is_real():
    html = page.render_index("All", [record("a", "ok"), record("b", "failed", made=False, synthetic=False)], {})
    assert "Internal: real patients" in html
    assert "Synthetic data" in html
