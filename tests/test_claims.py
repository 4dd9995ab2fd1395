"""Data too many to keep, made anew by the arithmetic of tests/reference/make_claims.R, and what R said of them there.

The figures of R are in tests/reference/claims_*.csv (survival 3.5-3, cmprsk 2.2-11; see sessionInfo.txt there).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimate.curves import gray_test
from analysis.estimate.hazards import cumulative_hazard, fit_cox

REFERENCE = Path(__file__).parent / "reference"
WORDS = np.array(["censored", "relapse", "death"])


@cache
def reference(name):
    return pd.read_csv(REFERENCE / f"claims_{name}.csv", keep_default_na=False, na_values=[""])


def uniform(n, seed):
    """`uniform` of make_claims.R: products below 2^52 modulo a prime, the same numbers in both languages."""
    prime, step, found = 67108859, 26590841, np.array([seed], dtype=np.int64)
    while len(found) < n:
        found = np.concatenate([found, found * step % prime])
        step = step * step % prime
    return found[:n] / prime


def small_set(number):
    u = uniform(300, 1000 + 7919 * number)
    n = 8 + int(24 * u[0])

    def column(place):
        return u[10 + 32 * place : 10 + 32 * place + n]

    entry = np.where(column(0) < 0.3, np.floor(4 * column(1)), 0)
    return pd.DataFrame(
        {
            "entry": entry,
            "time": entry + 1 + np.floor(8 * column(2)),
            "event": WORDS[(column(3) < 0.6).astype(int)],
            "weight": 1 + np.floor(3 * column(4)),
            "part": np.floor(2 * column(5)),
            "a": (1, 1000, 0.01)[number % 3] * (column(6) - 0.5),
            "b": (column(7) < 0.4).astype(int),
        }
    )


def small_model(number):
    ties = ("efron", "breslow")[number % 2]
    chosen = {"strata": "part", "entry": "entry", "weight": "weight", "ties": ties}
    return fit_cox(small_set(number), "a + b", "relapse", **chosen)


def test_small_sets_as_in_r_or_without_an_estimate_in_both():
    estimated = {"in both": 0, "a column left out in both": 0, "in neither": 0}
    for number, rows in reference("small_sets").fillna({"said": ""}).groupby("set"):
        model, expected = small_model(number), rows["coefficient"].to_numpy()
        fit = model.fit
        errors = np.sqrt(np.diag(fit.variance))
        if rows["said"].eq("").all():
            assert fit.converged
            np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-8, atol=1e-8, err_msg=str(number))
            np.testing.assert_allclose(errors, rows["model_error"], rtol=1e-8, err_msg=str(number))
            estimated["a column left out in both" if np.isnan(expected).any() else "in both"] += 1
        else:  # R warns that the coefficient may be infinite or that it ran out of iterations, or stops at an overflow
            assert np.isnan(fit.coefficients).any(), number
            assert any(note.startswith("no ") for note in (*fit.notes, *model.notes)), number
            estimated["in neither"] += 1
    assert estimated == {"in both": 341, "a column left out in both": 31, "in neither": 228}


def test_a_likelihood_that_overflows_on_its_endless_way_up_ends_in_a_note():
    # Set 248: the height is still a number where its derivatives are none. This raised an error of linear algebra.
    assert all(note.startswith("no ") for note in small_model(248).fit.notes)


@pytest.mark.slow
def test_a_million_rows_with_strata_and_delayed_entry_as_in_r():
    rows, terms = 1_000_000, [f"x{place}" for place in range(10)]
    u = uniform(14 * rows, 20261124).reshape(14, rows)
    x = u[:10] - 0.5
    entry = np.where(u[10] < 0.4, np.floor(200 * u[11]), 0)
    spells = pd.DataFrame(x.T, columns=terms).assign(
        entry=entry,
        time=entry + 1 + np.floor(2000 * u[12] * u[12] / (0.1 + (1 + x[0] - 0.5 * x[1]))),
        event=WORDS[(u[13] < 0.4).astype(int)],
        line=(1 + np.floor(4 * u[11])).astype(int),
    )
    fit, expected = fit_cox(spells, " + ".join(terms), "relapse", "line", entry="entry").fit, reference("million")
    np.testing.assert_allclose(fit.coefficients, expected["coefficient"], rtol=0, atol=1e-11)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.variance)), expected["model_error"], rtol=0, atol=1e-13)


def gray_set(number):
    u = uniform(40, 500 + 104729 * number)
    n = 4 + int(6 * u[0])
    day, code, group = u[1 : 1 + n], u[10 : 10 + n], u[19 : 19 + n]
    event = WORDS[np.floor(3 * code).astype(int)]
    frame = pd.DataFrame({"entry": 0, "time": 1 + np.floor(6 * day), "event": event})
    return frame.assign(group=np.floor((2 + number % 2) * group).astype(int))


def test_gray_statistic_of_small_sets_as_in_cmprsk():
    """cmprsk says -1 where the variance is singular, and once stops with an error (here -2)."""
    seen = {"equal": 0, "no test in both": 0, "cmprsk -1 or stops, none here": 0, "cmprsk -1, a test here": 0}
    for number, theirs in reference("gray").itertuples(index=False):
        spells = gray_set(number)
        if spells["group"].nunique() < 2:
            assert np.isnan(theirs)
            continue
        found = gray_test(spells, "relapse", "group").iloc[0]
        if theirs >= 0:
            assert found["statistic"] == pytest.approx(theirs, rel=1e-9, abs=1e-12), number
            seen["equal"] += 1
        elif np.isnan(found["statistic"]):
            assert "no two groups were at risk together" in found["note"], number
            seen["no test in both" if np.isnan(theirs) else "cmprsk -1 or stops, none here"] += 1
        else:
            assert theirs == -1, number
            assert "only 2 of 3 groups were at risk together" in found["note"], number
            seen["cmprsk -1, a test here"] += 1
    expected = {"equal": 292, "no test in both": 41, "cmprsk -1 or stops, none here": 42, "cmprsk -1, a test here": 12}
    assert seen == expected


def test_multi_state_survfit_is_no_reference_for_predicted_hazards():
    figures = reference("figures").set_index("figure")["value"]
    assert figures["largest difference of the coefficients, multi-state and single"] < 1e-7
    spells = pd.read_csv(REFERENCE / "hazards_data.csv").query("dataset == 'simulated'")
    at = pd.DataFrame({"age": [55], "sex": ["female"], "stage": ["I"], "marker": [2]})
    curve = cumulative_hazard(fit_cox(spells, "age + sex + stage + marker", "relapse"), at)
    ours = curve.loc[curve["time"] <= 5, "estimate"].iloc[-1]
    assert ours == pytest.approx(figures["cumulative hazard at 5, survfit of the single coxph"], rel=1e-7)
    assert ours > 1.1 * figures["cumulative hazard at 5, survfit of the multi-state coxph"]
