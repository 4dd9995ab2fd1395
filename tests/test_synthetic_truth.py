"""What the simulator says of itself: the true risk against a formula and what happened, and what would have been."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.sources import synthetic
from analysis.sources.synthetic import markers, parameters

NO_LABS = pd.DataFrame({"patient": [0], "day": [0], "test": ["LDH"], "value": [0.0], "unit": ["U/L"]}).iloc[:0]
RISKS = ("risk", "risk_measurable")
FRAILTIES = np.exp(parameters.FRAILTY_LOG_SD * np.linspace(-3.4, 3.4, 18) - parameters.FRAILTY_LOG_SD**2 / 2)


def truth_of(patients, seed):
    with mock.patch.object(markers, "records", lambda *records: NO_LABS):
        return synthetic.simulate(patients, seed)["truth"]


def share_relapsed(spells, months):
    return float(((spells["event"] == "relapse") & (spells["time"] <= months * schema.DAYS_PER_MONTH)).mean())


@pytest.fixture(scope="module")
def judged():
    """True risks of a cohort and what came of it, had nobody been lost."""
    truth = truth_of(6000, seed=31)
    risks = synthetic.true_risk(truth, [12, 24]).merge(truth, on=["patient_id", "line"], validate="many_to_one")
    waited = (risks["progression_day"] - risks["start_day"]).to_numpy("float64", na_value=np.inf)
    return risks.assign(relapsed=waited <= risks["horizon_months"] * schema.DAYS_PER_MONTH)


def test_a_change_of_therapy_ends_what_is_waited_for():
    """All are changed on day 122, so nobody relapses in the line after it."""
    changed = {"CHANGE_WITHOUT_PROGRESSION": 1.0, "CHANGE_LOG_SD": 1e-6}
    with mock.patch.multiple(parameters, **changed):
        found = synthetic.true_risk(truth_of(40, seed=2), [4, 24]).query("line == 1")
    by_horizon = found.pivot_table(index="patient_id", columns="horizon_months", values="risk")
    assert by_horizon[24].to_numpy() == pytest.approx(by_horizon[4].to_numpy(), abs=0.03)


def test_what_earlier_lines_tell_of_frailty_is_right_on_average():
    """Relapse, depth and survival tell of it; death is made to depend much on it, so that survival tells enough."""
    with mock.patch.multiple(parameters, FRAILTY_ON_DEATH=3.0):
        later = truth_of(6000, seed=12)
        weight = synthetic.truth._frailty_weights(later, FRAILTIES)
    mean = weight @ np.log(FRAILTIES)
    spread = np.sqrt(weight @ np.log(FRAILTIES) ** 2 - mean**2)
    score = ((np.log(later["frailty"]) - mean) / spread).groupby(later["line"])
    assert (score.mean() * np.sqrt(score.size())).loc[:4].abs().max() < 3.5
    assert score.std().loc[:3].between(0.95, 1.05).all()
    # Precisions add up: of the density, of one depth, of about one relapse, and a little of survival.
    told = 1 / parameters.FRAILTY_LOG_SD**2 + parameters.DEPTH_PER_LOG_FRAILTY**2 + 1
    assert 0.9 * told**-0.5 < spread[later["line"] == 2].mean() < told**-0.5


def test_constant_hazards_give_the_risk_of_the_textbook():
    """Relapse r and death d a month, nothing else: r / (r + d) (1 - exp(-(r + d) t))."""
    plain = {
        "RELAPSE_SHAPE": (1.0, 1.0),
        "FRAILTY_LOG_SD": 0.0,
        "MRD_LOG_HAZARD_RATIO": 0.0,
        "MRD_DEATH_LOG_HAZARD_RATIO": 0.0,
        "DEPTH_LOG_HAZARD_RATIO": 0.0,
        "CHANGE_WITHOUT_PROGRESSION": 0.0,
        "EARLIEST_RELAPSE_DAYS": 1,
    }
    with mock.patch.multiple(parameters, **plain):
        truth = truth_of(40, seed=2).query("line == 1").reset_index(drop=True)
        found = synthetic.true_risk(truth, [12])
    r = np.exp(truth["log_hazard_ratio"].to_numpy()) / parameters.RELAPSE_SCALE_MONTHS[0]
    d = np.exp(truth["death_log_hazard_ratio"].to_numpy()) * parameters.DEATH_IN_LINE_PER_MONTH[0]
    expected = r / (r + d) * -np.expm1(-(r + d) * 365 / schema.DAYS_PER_MONTH)
    for risk in RISKS:
        assert found[risk].to_numpy() == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("months", [12, 24])
def test_the_true_risk_is_calibrated(judged, risk, months):
    """By line and fifth of the risk: what happened lies within chance of what was said."""
    rows = judged[judged["horizon_months"] == months]
    line = rows["line"].clip(upper=4)
    fifth = rows.groupby(line)[risk].transform(lambda values: pd.qcut(values, 5, labels=False))
    surprise = (rows["relapsed"] - rows[risk]).groupby([line, fifth]).sum()
    spread = np.sqrt((rows[risk] * (1 - rows[risk])).groupby([line, fifth]).sum())
    score = surprise / spread
    assert len(score) == 20
    assert score.abs().max() < 4, score
    assert (score**2).sum() < 45, score  # chi-squared with 20 degrees of freedom: 1 in 1,000


def test_who_knows_the_frailty_knows_more_and_earlier_lines_tell_of_it(judged):
    error = {
        risk: ((judged["relapsed"] - judged[risk]) ** 2).groupby(judged["line"].clip(upper=3)).mean() for risk in RISKS
    }
    assert (error["risk"] < error["risk_measurable"]).all()
    unknown = ((judged["risk"] - judged["risk_measurable"]) ** 2).groupby(judged["line"]).mean()
    assert unknown[3] < unknown[2] < unknown[1]


def test_rows_may_come_in_any_order_and_nothing_is_changed():
    truth = truth_of(60, seed=3)
    kept = truth.copy()
    expected = synthetic.true_risk(truth, [12])
    shuffled = synthetic.true_risk(truth.sample(frac=1, random_state=1), [12])
    pd.testing.assert_frame_equal(expected, shuffled)
    pd.testing.assert_frame_equal(truth, kept)


def test_a_horizon_in_the_first_weeks_is_refused():
    with pytest.raises(ValueError, match=r"horizons_months: expected 2 or more, came \[1\]"):
        synthetic.true_risk(truth_of(5, seed=1), [1, 12])


def test_set_to_nothing_the_patients_are_those_of_the_cohort():
    spells, truth = synthetic.counterfactual(800, seed=4), truth_of(800, seed=4).query("line == 1")
    schema.check(spells, schema.SPELLS)
    relapsed = truth["progression_day"].notna().to_numpy()
    assert (spells["patient_id"].to_numpy() == truth["patient_id"].to_numpy()).all()
    assert ((spells["event"] == "relapse").to_numpy() == relapsed).all()
    assert (spells["time"].to_numpy()[relapsed] == truth["progression_day"].to_numpy()[relapsed]).all()


def test_only_those_who_lack_it_change_when_all_are_given_it():
    """The random numbers are the same, so who has the lesion lives on unchanged, and the others relapse no later."""
    patients = synthetic.simulate(400, seed=6)["patients"]
    with_lesion, as_is = (synthetic.counterfactual(400, seed=6, **to) for to in ({"del17p": True}, {}))
    has = patients["del17p"].astype("boolean")
    same = (with_lesion["time"] == as_is["time"]) & (with_lesion["event"] == as_is["event"])
    assert same[has.fillna(False).to_numpy(bool)].all()
    assert not same[(has == False).fillna(False).to_numpy(bool)].all()  # noqa: E712
    assert share_relapsed(with_lesion, 24) > share_relapsed(as_is, 24)


def test_what_would_have_been_is_the_true_risk_of_those_set_to_it():
    """Of del17p the patients with it are a fair sample of all, so their mean true risk is what all would have."""
    set_to = synthetic.counterfactual(20_000, seed=8, del17p=True)
    patients = synthetic.simulate(4000, seed=9)
    ids = patients["patients"].loc[patients["patients"]["del17p"].fillna(False).astype(bool), "patient_id"]
    truth = patients["truth"][patients["truth"]["patient_id"].isin(ids)]
    truth = truth[truth["line"] == 1]
    risk = synthetic.true_risk(truth, [24])["risk"]
    error = np.sqrt(risk.var() / len(risk) + 0.25 / len(set_to))
    assert share_relapsed(set_to, 24) == pytest.approx(risk.mean(), abs=4 * error)


@pytest.mark.parametrize(
    ("name", "values"), [("iss", ("I", "II", "III")), ("fitness", ("fit", "intermediate", "frail"))]
)
def test_worse_stage_and_worse_fitness_relapse_sooner(name, values):
    shares = [share_relapsed(synthetic.counterfactual(3000, seed=5, **{name: value}), 24) for value in values]
    assert shares == sorted(shares) and shares[0] < shares[2] - 0.03


def test_what_cannot_be_set_is_refused_all_at_once():
    words = r"patients: expected at least 1, came 0; sex: not a characteristic.*; iss: expected one of .*, came 'IV'"
    with pytest.raises(ValueError, match=words):
        synthetic.counterfactual(0, seed=1, sex="male", iss="IV")
