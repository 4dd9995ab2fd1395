"""The synthetic cohort held against the published figures, and each figure held against a count by hand."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis import schema
from analysis.derive import regimens, spells
from analysis.estimate import calibration as room
from analysis.estimate.calibration import basis, course, disease
from analysis.sources import synthetic

# Targets that the default cohort misses, by key. Each must carry its reason; a band met or missed anew turns the
# test red, so this list is always the truth about the release of the simulator.
MISSED_BY_THE_DEFAULT_COHORT: set[str] = set()
# Come first when bands contradict each other: these must hold for other seeds too.
ALWAYS = [f"{name}_{line}" for name in ("pfs", "os") for line in (1, 2, 3, 4)]
ALWAYS += ["reach_2", "reach_3", "reach_4", "die_1", "die_2", "die_3"]


def held(patients, seed):
    cohort = synthetic.simulate(patients=patients, seed=seed)
    lines = regimens.lines(cohort)
    return room.calibration(cohort, lines, spells.spells(cohort, lines, endpoint="relapse")).set_index("key")


@pytest.fixture(scope="module")
def table():
    return held(synthetic.PATIENTS, synthetic.SEED)


@pytest.mark.parametrize("key", room.targets()["key"])
def test_every_band_holds_for_the_default_cohort(table, key):
    row = table.loc[key]
    expected = key not in MISSED_BY_THE_DEFAULT_COHORT
    assert row["inside"] == expected, f"{row['target']}: {row['achieved']:.3g}, {row['band_low']} to {row['band_high']}"
    assert bool(row["note"]) != expected


def test_the_result_is_the_declared_table_and_complete(table):
    schema.check(table, schema.CALIBRATION)
    assert list(table.index) == list(room.targets()["key"])
    assert table["achieved"].notna().all()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_medians_and_attrition_hold_for_other_seeds_too(seed):
    table = held(15_000, seed)  # with fewer patients a median strays by 4 % from chance alone, the band has 10
    assert table.loc[ALWAYS, "inside"].all(), table.loc[ALWAYS].query("not inside")[["target", "achieved"]].to_string()
    assert table["inside"].sum() >= len(table) - 3


@pytest.mark.slow
def test_the_expected_figures_lie_inside_and_not_only_one_draw():
    table = held(40_000, 12)
    assert table["inside"].all(), table.query("not inside")[["target", "achieved"]].to_string()


def test_targets_are_sound():
    targets = room.targets()
    assert targets["key"].is_unique and targets["target"].is_unique
    assert ((targets["band_low"] <= targets["published"]) & (targets["published"] <= targets["band_high"])).all()
    assert (targets[["target", "unit", "source", "grade"]] != "").all().all()
    promised = [key for keys in room.FIGURES.values() for key in keys]
    assert sorted(promised) == sorted(targets["key"])
    targets.loc[0, "published"] = -1.0
    assert room.targets().loc[0, "published"] > 0


def small():
    """Six patients whose figures can be counted on the fingers."""
    patients = pd.DataFrame(
        {
            "patient_id": list("abcdef"),
            "entry_day": 0,
            "last_contact_day": [100, 200, 300, 400, 500, 600],
            "death_day": pd.array([100, 200, None, 400, None, None], dtype="Int64"),
            "beta2_microglobulin_mg_l": [2.0, 3.4, 6.0, 5.5, 3.5, np.nan],
            "albumin_g_dl": [4.0, 3.4, 4.0, 2.0, 4.0, 4.0],
        }
    )
    rows = [
        ("a", 1, 0, None, "none", "PR"),
        ("b", 1, 0, 90, "clinical", "VGPR"),
        ("c", 1, 0, 60, "biochemical", "sCR"),
        ("c", 2, 150, None, "none", "PR"),
        ("d", 1, 0, 80, "biochemical", "unknown"),
        ("d", 2, 120, 200, "biochemical", "VGPR"),
        ("d", 3, 250, None, "none", "SD"),
        ("e", 1, 0, None, "none", "CR"),
        ("e", 2, 40, None, "none", "PD"),
        ("f", 1, 0, None, "none", "MR"),
    ]
    lines = pd.DataFrame(
        rows, columns=["patient_id", "line", "start_day", "progression_day", "relapse_kind", "best_response"]
    )
    lines = lines.astype({"progression_day": "Int64"})
    findings = pd.DataFrame(
        [("c", 60, "biochemical", 1), ("c", 121, "clinical", 1), ("d", 80, "biochemical", 1), ("b", 90, "clinical", 1)],
        columns=["patient_id", "day", "value", "line"],
    ).assign(finding="progression")
    events = [
        "death",
        "relapse",
        "relapse",
        "censored",
        "relapse",
        "relapse",
        "death",
        "next_line",
        "censored",
        "censored",
    ]
    times = [100.0, 90, 60, 150, 80, 80, 150, 40, 460, 600]
    gaps = lines[["patient_id", "line"]].assign(entry=0.0, time=times, event=events)
    return {"patients": patients, "findings": findings}, lines, gaps


def test_attrition_by_hand():
    figures = course.attrition(*small())
    assert figures["reach_2"] == pytest.approx(100 * 3 / 6)
    assert figures["reach_3"] == pytest.approx(100 * 1 / 6)
    assert figures["die_1"] == pytest.approx(100 * 2 / 6)
    assert figures["die_2"] == 0
    assert figures["die_3"] == pytest.approx(100)


def test_medians_by_hand():
    """Line 1: events at 60, 80, 90, 100, censored at 40 and 600: 1, 4/5, 3/5, 2/5 - the median is 90 days."""
    figures = course.progression_free(*small())
    assert figures["pfs_1"] == pytest.approx(90 / schema.DAYS_PER_MONTH)
    assert np.isnan(figures["pfs_4"])
    # Deaths at 100, 200, 400, censored at 300, 500, 600: 5/6, 4/6, 4/9 - the median is 400 days.
    assert course.overall(*small())["os_1"] == pytest.approx(400 / schema.DAYS_PER_MONTH)


def test_response_stage_and_kind_by_hand():
    figures = course.response(*small())
    assert figures["vgpr_1"] == pytest.approx(100 * 3 / 5)
    assert figures["vgpr_2"] == pytest.approx(100 * 1 / 3)
    assert disease.stages(*small()) == {"iss_1": 20, "iss_2": 40, "iss_3": 40}
    assert disease.relapse_kind(*small())["biochemical_share"] == pytest.approx(100 * 2 / 3)
    stated = pd.DataFrame({"iss": ["I", "unknown", "III"]})
    assert basis.stage(stated).tolist()[::2] == [1, 3]


def test_lead_time_by_hand():
    """Clinical after 61 days in c; in d the next line censors after 40 and after 50 days: the median is 61 days."""
    figures = disease.lead_time(*small())
    assert figures["lead_time"] == pytest.approx(61 / schema.DAYS_PER_MONTH)
    assert figures["slow_share"] == 0


def test_doubling_time_by_hand():
    """M-protein that doubles each 61 days exactly, and other samples that must not count."""
    cohort, lines, gaps = small()
    rows = [("c", day, "serum M-protein", 1.0 * 2 ** (day / 61)) for day in (0, 50, 100, 140)]
    rows += [("c", 160, "serum M-protein", 0.2), ("c", 60, "calcium", 9.9), ("c", 70, "serum M-protein", 0.05)]
    rows += [("a", day, "serum M-protein", 5.0 - day / 100) for day in (0, 20, 40)]
    labs = pd.DataFrame(rows, columns=["patient_id", "day", "test", "value"])
    found = disease.doubling_time({**cohort, "labs": labs}, lines, gaps)["doubling_time"]
    assert found == pytest.approx(61 / schema.DAYS_PER_MONTH)


def exponential_gaps(second, further):
    """Gaps of 6,000 lines each whose hazard grows by these ratios from line 1 to 2 and from 2 to 3."""
    rng = np.random.default_rng(8)
    line = np.repeat([1, 2, 3], 6000)
    time = rng.exponential(300 / np.array([1, second, second * further])[line - 1])
    gaps = pd.DataFrame({"patient_id": np.arange(len(line)).astype(str), "line": line, "entry": 0.0})
    return gaps.assign(time=np.minimum(time, 900), event=np.where(time < 900, "relapse", "censored"))


def test_line_ratios_agree_with_a_known_process():
    figures = course.line_ratios({}, None, exponential_gaps(1.5, 1.2))
    assert figures["line_hr_2"] == pytest.approx(1.5, rel=0.06)
    assert figures["line_hr_later"] == pytest.approx(1.2, rel=0.06)


def test_mrd_counts_only_from_its_test_on():
    """Everybody relapses at day 400; the negatives' clock starts at day 100 or 300 alike, so the ratio is 1."""
    patients = [f"p{number}" for number in range(80)]
    day = np.where(np.arange(80) % 4 < 2, 100, 300)
    cohort = {
        "patients": pd.DataFrame(
            {"patient_id": patients, "last_contact_day": 900, "death_day": pd.array([900] * 80, dtype="Int64")}
        ),
        "findings": pd.DataFrame({"patient_id": patients, "day": day, "finding": "MRD", "line": 1}).assign(
            value=np.where(np.arange(80) % 2, "negative", "positive")
        ),
    }
    lines = pd.DataFrame({"patient_id": patients, "line": 1, "start_day": 0})
    gaps = lines[["patient_id", "line"]].assign(time=400.0, event="relapse")
    figures = disease.mrd(cohort, lines, gaps)
    assert figures["mrd_pfs_hr"] == pytest.approx(1)
    assert figures["mrd_os_hr"] == pytest.approx(1)
    late = cohort["findings"].assign(day=lambda rows: rows["day"].where(rows["value"] == "positive", 450))
    with pytest.raises(basis.CannotTellError):  # a test after the relapse leaves only positives: nothing to compare
        disease.mrd({**cohort, "findings": late}, lines, gaps)


def test_what_a_cohort_cannot_tell_is_said_and_nothing_is_changed():
    cohort, lines, gaps = small()
    kept = [frame.copy() for frame in (cohort["patients"], cohort["findings"], lines, gaps)]
    table = room.calibration(cohort, lines, gaps).set_index("key")
    assert "no labs" in table.loc["doubling_time", "note"]
    assert "patients without" in table.loc["os_hr_del17p", "note"]
    assert table.loc["doubling_time", "achieved"] is pd.NA or np.isnan(table.loc["doubling_time", "achieved"])
    assert not table.loc["die_2", "inside"] and table.loc["die_2", "note"]
    for before, after in zip(kept, (cohort["patients"], cohort["findings"], lines, gaps), strict=True):
        assert_frame_equal(before, after)


def test_time_to_next_line_is_not_taken_for_relapse():
    cohort, lines, gaps = small()
    table = room.calibration(cohort, lines, gaps.assign(event=gaps["event"].replace("relapse", "next_line")))
    table = table.set_index("key")
    assert table.loc["pfs_1", "note"] == "cannot be told from this cohort: no relapse observed"
    assert table.loc["os_1", "achieved"] > 0


def test_a_miss_that_has_a_known_contradiction_names_it():
    cohort, lines, _ = small()
    row = room.calibration(cohort, lines, exponential_gaps(1.4, 1.5)).set_index("key").loc["line_hr_later"]
    assert not row["inside"]
    assert "Czech registry" in row["note"]
