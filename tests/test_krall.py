"""65 patients with myeloma (Krall, Uthoff and Harley 1975, Biometrics 31:49-57) and what SAS prints of them.

The data and the figures by Breslow's ties are those of the stepwise example in SAS/STAT's manual of PHREG; the
figures by Efron's ties are R's, as `coxph` gives them for the same rows. Printed digits are what is compared.
"""

from pathlib import Path

import pandas as pd
import pytest

from analysis.estimate import curves, hazards

KRALL = pd.read_csv(Path(__file__).parent / "reference" / "krall.csv")
SPELLS = KRALL.assign(
    entry=0.0, time=KRALL["time_months"], event=KRALL["died"].map({0: "censored", 1: "death"}), line=1
)
TWO = "log_bun + haemoglobin"
ALL = " + ".join(KRALL.columns[2:])


def test_these_are_the_patients():
    assert (len(KRALL), int(KRALL["died"].sum())) == (65, 48)


@pytest.mark.parametrize(
    ("terms", "ties", "coefficients"),
    [
        ("log_bun", "breslow", [1.74595]),
        ("log_bun", "efron", [1.79076]),
        (TWO, "breslow", [1.67440, -0.11899]),
        (TWO, "efron", [1.71597, -0.11966]),
        (ALL, "breslow", [1.79835, -0.12631, -0.25059, -0.01279, 0.35373, 0.33788, 0.35893, 0.01307, 0.12595]),
    ],
)
def test_coefficients_are_those_printed(terms, ties, coefficients):
    found = hazards.cox(SPELLS, terms, "death", ties=ties)
    assert found["log_estimate"].round(5).tolist() == coefficients


@pytest.mark.parametrize(
    ("terms", "ties", "errors"),
    [
        ("log_bun", "breslow", [0.60460]),
        ("log_bun", "efron", [0.61078]),
        (TWO, "breslow", [0.61209, 0.05751]),
        (TWO, "efron", [0.61855, 0.05742]),
    ],
)
def test_standard_errors_are_those_printed(terms, ties, errors):
    assert hazards.cox(SPELLS, terms, "death", ties=ties)["std_error"].round(5).tolist() == errors


def test_hazard_ratios_and_wald_tests_are_those_printed():
    found = hazards.cox(SPELLS, TWO, "death", ties="breslow")
    assert found["estimate"].round(3).tolist() == [5.336, 0.888]
    assert ((found["log_estimate"] / found["std_error"]) ** 2).round(4).tolist() == [7.4833, 4.2811]


def test_the_tests_of_the_whole_model_are_those_printed():
    model = hazards.fit_cox(SPELLS, TWO, "death", ties="breslow")
    statistics = hazards.overall_tests(model).set_index("test")["statistic"]
    assert round(statistics["likelihood ratio"], 4) == 11.9493
    assert round(statistics["score"], 4) == 12.7252


def test_survival_is_that_computed_elsewhere():
    curve = curves.kaplan_meier(SPELLS)
    at = [round(float(curve[curve["time"] <= month]["estimate"].iloc[-1]), 4) for month in (12, 24, 36, 60)]
    assert at == [0.6625, 0.4489, 0.3610, 0.1863]
    assert curves.quantiles(curve)["estimate"].tolist() == [19.0]
