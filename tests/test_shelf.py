"""The shelf: what goes in comes out, nothing stale is handed on, nothing half-written stays."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis import schema, shelf


@pytest.fixture(autouse=True)
def data_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("RELAPSE_DATA", str(tmp_path / "data"))


def canonical(patients: int = 3, first: int = 0) -> dict[str, pd.DataFrame]:
    ids = [f"p{number}" for number in range(first, first + patients)]
    facts = {
        "name": "tiny",
        "title": "Tiny",
        "synthetic": True,
        "endpoint": "relapse",
        "time_zero": "start of line 1",
        "source": "made by hand",
        "citation": "none",
        "licence": "none",
        "release": "1",
    }
    return {
        "cohort": pd.DataFrame([facts]),
        "patients": pd.DataFrame(
            {
                "patient_id": ids,
                "entry_day": 0,
                "last_contact_day": 100,
                "death_day": pd.array([None] * patients, dtype="Int64"),
                "index_year": pd.array([2010 + n for n in range(patients)], dtype="Int64"),
            }
        ),
        "truth": pd.DataFrame({"patient_id": ids, "frailty": 1.0}),
    }


class CountingSource(SimpleNamespace):
    def read(self, cohort):
        self.reads += 1
        return {name: frame for name, frame in canonical().items() if name != "truth"}

    def fingerprint(self, cohort):
        return self.content


def test_a_cohort_is_read_once_and_again_when_its_content_changes():
    source = CountingSource(reads=0, content="a" * 64)
    first = shelf.cohort("tiny", source)
    shelf.cohort("tiny", source)
    assert source.reads == 1
    assert list(first) == ["cohort", "patients"]
    source.content = "b" * 64
    shelf.cohort("tiny", source)
    assert source.reads == 2


def test_two_runs_that_store_the_same_cohort_at_once_both_get_it():
    class SlowSource(CountingSource):
        def read(self, cohort):  # while this one reads, another run finishes
            folder = shelf.data_folder() / "processed" / shelf.key(cohort, self.content)
            shelf.write_cohort(canonical(), folder)
            return canonical()

    assert len(shelf.cohort("tiny", SlowSource(content="c" * 64))["patients"]) == 3


def test_about_says_who_and_when():
    facts = shelf.about("tiny", CountingSource(reads=0, content="a" * 64))
    assert (facts["title"], facts["patients"], facts["first_year"], facts["last_year"]) == ("Tiny", 3, 2010, 2012)
    assert facts["fingerprint"] == "a" * 64


def test_parts_are_joined_and_truth_stands_where_no_reader_looks(tmp_path):
    folder = shelf.write_cohort([canonical(2), canonical(3, first=2)], tmp_path / "parts")
    assert len(shelf.tables(folder)["patients"]) == 5
    assert len(shelf.tables(folder)["cohort"]) == 1
    assert "truth" not in shelf.tables(folder)
    assert len(pd.read_parquet(folder / "truth" / "truth.parquet")) == 5


def test_types_survive_the_shelf(tmp_path):
    given = canonical()["patients"]
    folder = shelf.write_cohort(canonical(), tmp_path / "kept")
    pd.testing.assert_frame_equal(shelf.tables(folder)["patients"], given)


def test_a_folder_of_yours_is_never_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not empty"):
        shelf.write_cohort(canonical(), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_bad_part_leaves_nothing_behind(tmp_path):
    bad = canonical()
    bad["patients"] = bad["patients"].drop(columns="last_contact_day")
    with pytest.raises(schema.SchemaError, match="last_contact_day"):
        shelf.write_cohort([canonical(), bad], tmp_path / "half")
    assert list(tmp_path.iterdir()) == []


FLOW = pd.DataFrame({"step": [1], "rule": ["all"], "removed": [0], "remaining": [3]})


def test_a_result_is_handed_on_only_with_its_own_parameters(tmp_path):
    folder = shelf.write_cohort(canonical(), tmp_path / "kept")
    shelf.save(folder, "flow", FLOW, schema.FLOW, {"horizon_months": 60})
    pd.testing.assert_frame_equal(shelf.load(folder, "flow", schema.FLOW, {"horizon_months": 60}), FLOW)
    with pytest.raises(ValueError, match="horizon_months: stored 60, asked 24"):
        shelf.load(folder, "flow", schema.FLOW, {"horizon_months": 24})
    with pytest.raises(FileNotFoundError, match="make report"):
        shelf.load(folder, "curves", schema.CURVES, {})


def test_provenance_says_what_made_a_table_and_when_not(tmp_path):
    folder = shelf.write_cohort(canonical(), tmp_path / "kept", {"fingerprint": "f"})
    told = json.loads((folder / "provenance.json").read_text())
    assert told["fingerprint"] == "f"
    assert told["versions"]["pandas"] == pd.__version__
    assert set(told) == {"commit", "fingerprint", "versions"}  # and no clock


def test_the_key_is_readable_and_names_no_folder_above():
    assert shelf.key("some/where/My Cohort", "0123456789abcdef") == "my-cohort-0123456789"
