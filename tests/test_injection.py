"""Payloads in every text of a cohort: on the pages they are text, on a terminal they are one line."""

import re
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from analysis import schema, shelf
from analysis.__main__ import main
from analysis.derive import regimens
from analysis.sources import synthetic, tables

PAYLOADS = [
    "<script>alert(1)</script>",
    "</style><style>*{display:none}",
    '"><img src=x onerror=alert(1)>',
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "</title><h1 onclick='alert(1)'>owned",
    "[x](javascript:alert(1)) ![x](http://x/y.png) <http://x>",
    "`code` **bold** # head | cell $\\href{javascript:alert(1)}{x}$ &lt;b&gt; \\",
]
UNSAFE = [
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "link",
    "base",
    "svg",
    "template",
    "noscript",
]
FORGERY = "male\x1b[2J\x1b[31m\u202e"
# Markdown first: a line that begins with a tag is read as HTML to its end, and nothing after it would be tried
EVERY = " ".join(reversed(PAYLOADS))
NUMBER_OF = {payload: number for number, payload in enumerate(PAYLOADS)}
# frequent agents, so that regimens and classes with payloads are among those shown
REPLACED = ["dexamethasone", "bortezomib", "lenalidomide", "thalidomide", "cyclophosphamide", "prednisone", "melphalan"]
FOLDER = "'\"><img src=x onerror=alert(1)> `x` $x$ [x](javascript:alert(1))"


def cycled(rows: int, plain: str = "") -> list[str]:
    return [f"{plain}{PAYLOADS[number % len(PAYLOADS)]}" for number in range(rows)]


@pytest.fixture(scope="module")
def spoiled():
    """The tables of a simulated cohort, with a payload in each text column that has no closed list of words."""
    made = synthetic.simulate(patients=400, seed=7)
    made = {name: frame for name, frame in made.items() if name != "truth"}
    made["labs"] = made["labs"].groupby(["patient_id", "test"]).head(2).reset_index(drop=True)
    names = dict(zip(made["patients"]["patient_id"], cycled(400), strict=True))
    for name, frame in made.items():
        if "patient_id" in frame:
            made[name] = frame.assign(patient_id=frame["patient_id"] + frame["patient_id"].map(names))
    patients, labs, findings = made["patients"], made["labs"], made["findings"]
    patients["race"] = cycled(len(patients))
    for number, payload in enumerate(PAYLOADS):
        patients[f"{payload} {number}"] = pd.Series(cycled(len(patients))).where(patients.index % (9 - number) > 0)
    made["treatments"] = made["treatments"].replace({"agent": dict(zip(REPLACED, PAYLOADS, strict=True))})
    made["labs"] = labs.assign(test=labs["test"].mask(labs.index % 5 == 0, pd.Series(cycled(len(labs)))))
    made["labs"]["unit"] = labs["unit"].mask(labs.index % 5 == 0, pd.Series(cycled(len(labs))))
    symptom = findings["finding"].isin(["fatigue", "bone pain"])
    made["findings"] = findings.assign(
        finding=findings["finding"].mask(symptom, pd.Series(cycled(len(findings)))),
        value=findings["value"].mask(symptom, pd.Series(cycled(len(findings)))),
    )
    facts = dict.fromkeys(("title", "time_zero", "source", "citation", "licence", "release"), EVERY)
    made["cohort"] = made["cohort"].assign(name="spoiled", **facts)
    return made


def written(made: dict[str, pd.DataFrame], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, frame in made.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def from_treatments(made):
    return made


def from_lines(made):
    """The same cohort as ready lines, of real patients; it says nothing of itself: its folder's name stands there."""
    lines = regimens.lines({name: frame for name, frame in made.items() if name != "cohort"})
    lines["classes"] = "+".join(PAYLOADS)
    return {"patients": made["patients"], "lines": lines, "labs": made["labs"]}


@pytest.fixture(scope="module", params=[from_treatments, from_lines])
def pages(request, spoiled, tmp_path_factory):
    """Every page of a spoiled cohort and the index, parsed, by name; with the tables that went in."""
    place = tmp_path_factory.mktemp("injection")
    made = request.param(spoiled)
    folder, out = written(made, place / f"in {FOLDER}"), place / f"out {FOLDER}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "data_folder", lambda: place / "data")
        patch.setenv("RELAPSE_DATA", str(place / "data"))
        ended = main(["report", "--cohort", str(folder), "--out", str(out)])
    assert ended == 0
    found = {file.stem: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in out.glob("*.html")}
    assert "index" in found
    assert len(found) == 1 + len(list((Path(__file__).parents[1] / "notebooks").glob("0*.ipynb")))
    return request.param, made, found


def plain(text: str) -> str:
    return " ".join(text.split())


def text_of(soup) -> str:
    return plain(soup.get_text())


def test_a_page_has_no_element_of_a_payload(pages):
    _, _, found = pages
    for name, soup in found.items():
        unsafe = soup.find_all(UNSAFE)
        assert not unsafe, (name, unsafe[:3])
        assert len(soup.find_all("style")) == len(soup.find_all("title")) == len(soup.find_all("h1")) == 1, name
        assert "*{display" not in soup.style.get_text().replace(" ", ""), name
        assert "mtext" not in {element.name for element in soup.find_all(True) if "alert" in element.get_text()}, name
        policies = [element.get("content", "") for element in soup.find_all("meta", attrs={"http-equiv": True})]
        assert policies[0].startswith("default-src 'none'"), name


def test_a_page_has_no_attribute_of_a_payload(pages):
    _, _, found = pages
    for name, soup in found.items():
        for element in soup.find_all(True):
            events = [attribute for attribute in element.attrs if attribute.lower().startswith("on")]
            assert not events, (name, element.name, events)
            assert not {"style", "srcset", "background", "action", "formaction"} & set(element.attrs), (name, element)
            assert element.name != "img" or element["src"].startswith("data:image/"), (name, element["src"][:60])


def test_a_page_leads_nowhere_but_to_itself_and_its_sisters(pages):
    _, _, found = pages
    sisters = {f"{name}.html" for name in found}
    for name, soup in found.items():
        for element in soup.find_all(href=True):
            target = element["href"]
            inside = target.startswith("#") and soup.find(id=target[1:]) is not None
            assert inside or target in sisters, (name, target)


def cells_of(soup) -> set[str]:
    return {text_of(cell) for cell in soup.find_all(["td", "th"])}


def test_payloads_are_read_as_text_where_the_column_is_shown(pages):
    made_by, _, found = pages
    facts = plain(EVERY if made_by is from_treatments else f"in {FOLDER}")
    for name, soup in found.items():
        assert facts in text_of(soup.main if name == "index" else soup.title), f"{name}: the cohort's title"
    for name in ("01_cohort", "02_treatment_lines", "03_relapse_frequency"):
        assert text_of(found[name].header).count(facts) == (2 if made_by is from_treatments else 1), "title, time zero"
        assert text_of(found[name].footer).count(facts) == (4 if made_by is from_treatments else 1), "source and terms"
        assert text_of(found[name].main).count(facts) >= 2, "title and source, in a sentence"
    cells = cells_of(found["01_cohort"])
    for payload in PAYLOADS:
        assert plain(payload) in cells, "race"
        assert f"{plain(payload)} {NUMBER_OF[payload]}" in cells, "the name of a column"
    sentences = " ".join(text_of(paragraph) for paragraph in found["01_cohort"].main.find_all("p"))
    assert f"most often {plain(PAYLOADS[6])} 6 (" in sentences
    agents = {agent for cell in cells_of(found["02_treatment_lines"]) for agent in cell.split("+")}
    shown = agents & {plain(payload) for payload in PAYLOADS}
    assert len(shown) >= 5, "agents of the most frequent regimens"
    if made_by is from_treatments:
        unknown = cells_of(found["01_cohort"].find_all("table")[-1])
        assert {plain(payload) for payload in PAYLOADS} <= unknown, "agents that the vocabulary does not know"


def test_alternative_texts_carry_payloads_as_text(pages):
    made_by, _, found = pages
    alts = [image["alt"] for soup in found.values() for image in soup.find_all("img")]
    assert all(alts)
    if made_by is from_lines:
        assert [payload for payload in PAYLOADS if any(plain(payload) in alt for alt in alts)], "a class of drugs"


def test_closed_lists_of_words_refuse_payloads(spoiled, tmp_path):
    closed = [
        (name, column.name)
        for name, table in (("patients", schema.PATIENTS), ("treatments", schema.TREATMENTS), ("cohort", schema.COHORT))
        for column in table.columns
        if column.kind in ("word", "flag") and column.name in spoiled[name]
    ]
    made = {name: frame.head(60).copy() for name, frame in spoiled.items()}
    for name, column in closed:
        made[name][column] = made[name][column].astype(object).mask(made[name].index % 2 == 0, PAYLOADS[0])
    known = made["labs"]["test"].eq("serum M-protein")
    made["labs"].loc[known, "unit"] = PAYLOADS[0]
    response = made["findings"]["finding"].eq("best response")
    made["findings"].loc[response, "value"] = PAYLOADS[0]
    made["cohort"]["name"] = PAYLOADS[0]
    assert known.any()
    assert response.any()
    faults = tables.inspect(written(made, tmp_path / "closed"))
    refused = faults[faults["severity"] == "error"]
    found = set(zip(refused["file"].str.removesuffix(".csv"), refused["column"], strict=True))
    assert {*closed, ("labs", "unit"), ("findings", "value"), ("cohort", "name")} <= found


def terminal(capfd) -> str:
    captured = capfd.readouterr()
    return captured.out + captured.err


def assert_plain(said: str) -> None:
    """No escape sequence, no carriage return, no direction mark: nothing that a terminal obeys."""
    obeyed = re.findall(r"[^\n\t\x20-\x7e\u00a0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff]", said)
    assert not obeyed, sorted(set(obeyed))


SMALL = {
    "patients.csv": f"patient_id,last_contact_day,death_day,sex\nA,900,,{FORGERY}\n",
    "treatments.csv": "patient_id,start_day,agent,line\nA,0,bortezomib,1\n",
}


def folder_of(place: Path, **replaced: str | None) -> Path:
    place.mkdir(exist_ok=True)
    for name, content in (SMALL | {f"{table}.csv": text for table, text in replaced.items()}).items():
        if content is not None:
            (place / name).write_text(content, encoding="utf-8", newline="")
    return place


FORGING = {
    "a cell": {},
    "a cell of two lines": {"patients": 'patient_id,last_contact_day,death_day,sex\nA,900,,"x\n0 error(s)"\n'},
    "an agent": {"treatments": f"patient_id,start_day,agent,line\nA,0,elixir{FORGERY},1\n"},
    "the name of a column": {"patients": f"patient_id,last_contact_day,death_day,2{FORGERY}\nA,900,,2020-01-31\n"},
    "the name of the cohort": {"cohort": f"name\nx{FORGERY}\n"},
    "names where one is missing": {"patients": f"patient_id,x{FORGERY}\nA,1\n"},
    "a stray file": {"patients": None, f"stray{FORGERY}": "x\n1\n"},
    "files none of which is ours": {"patients": None, "treatments": None, f"stray{FORGERY}": "x\n1\n"},
}


@pytest.mark.parametrize("what", FORGING)
def test_what_check_says_cannot_forge_a_line_of_the_terminal(what, tmp_path, capfd):
    folder = folder_of(tmp_path / "cohort", **FORGING[what])
    for show in ([], ["--show-values"]):
        assert main(["check", str(folder), *show]) in (0, 1)
        said = terminal(capfd)
        assert_plain(said)
        assert "0 error(s)" not in said.splitlines()


def test_a_cohort_that_is_not_there_cannot_forge_a_line_of_the_terminal(tmp_path, capfd):
    assert main(["check", str(tmp_path / f"no{FORGERY}")]) == 1
    assert_plain(terminal(capfd))


def test_a_title_and_a_folder_cannot_forge_a_line_of_the_terminal(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(shelf, "data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr("analysis.report.runner.run_all", lambda *arguments, **more: [])
    patients = "patient_id,last_contact_day,death_day\nA,900,\n"
    cohort = f'title\n"x{FORGERY}\n4 of 4 notebook(s) ended well"\n'
    folder = folder_of(tmp_path / f"cohort{FORGERY}", patients=patients, cohort=cohort)
    main(["report", "--cohort", str(folder), "--out", str(tmp_path / f"out{FORGERY}")])
    said = terminal(capfd)
    assert "1 patients" in said
    assert_plain(said)
    assert not [line for line in said.splitlines() if line.startswith("4 of 4")]
