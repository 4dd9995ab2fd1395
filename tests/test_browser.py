"""Pages in the system's own Chromium, wide and narrow: no request, no error, no overflow, nothing axe-core objects to.

Where node, Chromium or the two packages (`npm ci` in tests/browser) are missing these tests are skipped, but with
CI=true in the environment that is a failure: there the gate has to stand.
"""

import json
import os
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest
from cohort_facts import ABOUT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.__main__ import main
from analysis.report import page
from analysis.report.parameters import parse

ROOT = Path(__file__).parents[1]
GATE = ROOT / "tests" / "browser"
SHARED = Path(os.environ.get("RELAPSE_SHARED_DATA", ROOT.parent / "shared" / "data"))
COMMPASS = SHARED / "gdc_commpass"
COHORTS = {"synthetic": "synthetic", "gdc-few": ROOT / "tests" / "fixtures" / "gdc" / "flat", "gdc": COMMPASS}
SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='200'><script>fetch('//example.org')</script>"
    "<image href='https://example.org/a.png'/><path d='M0 0L900 200' stroke='black'/></svg>"
)
MARKUP = "<script>alert(1)</script></style>\"><img src='https://example.org/x' onerror=alert(1)><math><mi>x</mi></math>"


def missing() -> str:
    if not shutil.which("node"):
        return "node is not on PATH"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 20:
        return f"node 20 or newer is needed, here is {version}"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "no chromium, chromium-browser or google-chrome on PATH"
    return "" if (GATE / "node_modules" / "axe-core").exists() else "run `npm ci` in tests/browser"


@pytest.fixture(scope="module", autouse=True)
def gate():
    if why := missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no browser to open pages in: {why}")


def visit(*files: Path) -> list[dict]:
    """What the browser saw: one record per file and width."""
    done = subprocess.run(
        ["node", str(GATE / "visit.mjs"), *map(str, files)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def everything() -> str:
    """An artificial page with every feature and no kindness: long words, wide tables, markup in each text."""
    word = "non" + "hyper" * 30 + "secretory"
    wide = "".join(f"<th>column {number} of many</th>" for number in range(24))
    cells = "".join(f"<td>{number}.5 (0.1-99.9)</td>" for number in range(24))
    rows = "".join(f"<tr><th>{head}</th>{cells}</tr>" for head in ("line 1", "line 1", word))
    table = f"<table><caption>All of {word}</caption><thead><tr><th></th>{wide}</tr></thead>"
    formula = r"\hat{F}_k(t) = \sum_{t_i \le t} \hat{S}(t_{i-1}) \frac{d_{ki}}{n_i}"
    text = (
        f"# Everything {word}\n\nDoes {word} fit? Does {MARKUP}?\n\n## Formulas\n\n"
        f"Inline ${formula}$ and on its own\n\n$${' + '.join([formula] * 6)}$$\n\n"
        r"\begin{align} a &= b \\ c &= d \end{align}" + f"\n\n$$\\int_0^1 x$$\n\n### {word}\n\n- {word}\n\n"
        f"`{word}` costs $5\n\n> {word}\n\n```\n{word}\n```\n\n## Drugs {MARKUP}\n\n{MARKUP}"
    )
    alt = {"image/svg+xml": {"alt": f"It is {MARKUP}"}}
    outputs = [
        new_output("display_data", {"text/html": f"{table}<tbody>{rows}</tbody></table>"}),
        new_output("display_data", {"text/html": f"<p style='color:#eee'>{escape(MARKUP)}</p>"}),
        *(new_output("display_data", {"image/svg+xml": SVG}, metadata=alt) for _ in range(2)),
        new_output("stream", name="stdout", text=f"{word} {MARKUP}\n" * 3),
    ]
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell(f"x = '{MARKUP} {word}'", outputs=outputs)])
    about = ABOUT | {"title": f"{word} {MARKUP}", "source": word, "citation": MARKUP, "synthetic": False}
    shown = [(parse("x: str = 'a'  # help (unit)")[0], f"{word} {MARKUP}")]
    return page.render(notebook, about, {word: MARKUP, MARKUP: word}, shown).html


def index_of_every_status() -> str:
    cohort = {"title": f"Cohort {MARKUP}", "synthetic": False}
    words = ("ok", "failed", "killed", "timed-out", "interrupted", "skipped")
    records = [
        {"notebook": f"n{number}{word}", "status": word, "message": MARKUP, "cohort": cohort, "page": built}
        for word in words
        for number, built in enumerate([None, {"title": MARKUP, "question": f"Why {MARKUP}?", "cohort": cohort}])
        if (word, built) != ("ok", None)
    ]
    return page.render_index("All pages", records, {"Relapse": MARKUP})


@pytest.fixture(scope="module")
def seen(gate, tmp_path_factory):
    """Every page of every cohort at hand and two artificial ones, visited in one go."""
    files = []
    out = tmp_path_factory.mktemp("artificial")
    for name, html in (("everything", everything()), ("statuses", index_of_every_status())):
        (out / f"{name}.html").write_text(html, encoding="utf-8")
        files.append(out / f"{name}.html")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELAPSE_DATA", str(tmp_path_factory.mktemp("data")))
        for name, cohort in COHORTS.items():
            if name == "gdc" and not COMMPASS.exists():
                continue
            out = tmp_path_factory.mktemp(name)
            assert main(["report", "--cohort", str(cohort), "--out", str(out), "--jobs", "2"]) == 0
            files += sorted(out.glob("*.html"))
    return visit(*files)


def test_every_page_was_seen_at_both_widths(seen):
    pages = 1 + len(list((ROOT / "notebooks").glob("0*.ipynb")))  # and the index
    expected = 2 * (2 + pages * (3 if COMMPASS.exists() else 2))
    assert len({(record["file"], record["width"]) for record in seen}) == len(seen) == expected
    assert {record["width"] for record in seen} == {1200, 375}


@pytest.mark.parametrize("kind", ["requests", "errors", "violations", "overflow", "unsaid"])
def test_no_page_asks_for_anything_fails_overflows_or_shuts_readers_out(seen, kind):
    found = {(Path(record["file"]).name, record["width"]): record[kind] for record in seen if record[kind]}
    assert not found


def test_what_axe_leaves_to_a_human_is_contrast_in_boxes_that_scroll_alone(seen):
    """axe cannot judge a cell that is out of sight; on a wide window, where the same cells are in sight, it can."""
    assert {unclear["rule"] for record in seen for unclear in record["unclear"]} <= {"color-contrast"}
    wide = [record for record in seen if record["width"] == 1200 and "artificial" not in record["file"]]
    assert wide and not [record["unclear"] for record in wide if record["unclear"]]


@pytest.mark.parametrize("name", ["01_cohort", "09_clinical_summary"])
def test_no_page_tells_how_long_a_handful_were_watched(seen, name):
    files = {Path(record["file"]) for record in seen if name in record["file"]}
    told = {file.parent.name.rstrip("0123456789"): file.read_text(encoding="utf-8") for file in files}
    assert "the median follow-up from the start of the first line is" in told["synthetic"]
    assert "How long they were watched is not told" in told["gdc-few"]
    assert "median follow-up" not in told["gdc-few"]


def test_no_page_is_heavier_than_two_megabytes(seen):
    assert max(record["bytes"] for record in seen) <= 2_000_000


BAD = """<!DOCTYPE html><html><head><title>Bad</title></head><body><h1>Bad</h1><h4>Jump</h4>
<img src="https://example.org/a.png"><script>throw new Error("seen")</script>
<p style="width: 2000px; color: #ddd; background: #fff">pale and wide</p></body></html>"""


def test_the_gate_catches_a_bad_page(tmp_path):
    file = tmp_path / "bad.html"
    file.write_text(BAD, encoding="utf-8")
    for record in visit(file):
        assert record["overflow"]
        assert record["requests"] == ["https://example.org/a.png"]
        assert any("seen" in error for error in record["errors"])
        rules = {violation["rule"] for violation in record["violations"]}
        assert rules >= {"image-alt", "html-has-lang", "heading-order", "color-contrast", "landmark-one-main"}


def test_the_policy_of_a_page_stops_what_slips_in(tmp_path):
    html = everything().replace("</main>", "<img src='https://example.org/a.png' alt='x'><script>1</script></main>")
    file = tmp_path / "slipped.html"
    file.write_text(html, encoding="utf-8")
    for record in visit(file):
        assert len(record["errors"]) >= 2
        assert all("Content Security Policy" in error for error in record["errors"])
