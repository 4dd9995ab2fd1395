"""What only a simulator knows: kept apart from every cohort, for tests of what analyses find. No analysis reads it."""

from analysis.schema.cohort import LINE, PATIENT_ID
from analysis.schema.table import Column, Table


def _day(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, "days", nullable=True)


TRUTH = Table(
    "TRUTH",
    "patient and line of a synthetic cohort; for tests only, no analysis reads it",
    (
        PATIENT_ID,
        LINE,
        Column("start_day", "integer", "first day of the line", "days"),
        Column("frailty", "number", "the patient's own multiplier of the hazard of relapse", minimum=0),
        Column("log_hazard_ratio", "number", "sum of the true log hazard ratios of relapse, frailty left out"),
        Column("response_log_hazard_ratio", "number", "what the response, unknown at the line's start, adds to it"),
        Column("death_log_hazard_ratio", "number", "sum of the true log hazard ratios of death, frailty left out"),
        Column("depth_expected", "number", "latent depth of response expected at frailty 1"),
        Column("depth", "number", "latent depth of response"),
        Column("residual_disease_gone", "flag", "MRD-negative in truth, had the line lasted long enough to show it"),
        Column("doubling_months", "number", "time in which the tumour doubles after relapse", "months", minimum=0),
        Column(
            "relapse_day", "number", "day of true relapse had no death or censoring come first", "days", nullable=True
        ),
        _day("progression_day", "day of true relapse where it came before death and before a change of therapy"),
        _day("clinical_day", "day on which that relapse turns clinical"),
        _day("change_day", "day of a change of therapy without relapse"),
        Column("death_day", "number", "day of true death had no censoring come first", "days", nullable=True),
    ),
    key=("patient_id", "line"),
)

TRUE_RISK = Table(
    "TRUE_RISK",
    "patient, line and horizon of a synthetic cohort: the best that a prediction could say",
    (
        PATIENT_ID,
        LINE,
        Column("horizon_months", "number", "time since the start of the line", "months", minimum=0),
        Column("risk", "number", "relapse first by then, the patient's frailty known", minimum=0, maximum=1),
        Column(
            "risk_measurable",
            "number",
            "the same, of the frailty only what the lines before tell",
            minimum=0,
            maximum=1,
        ),
    ),
    key=("patient_id", "line", "horizon_months"),
)
