"""What was known of a patient on the day a line began: one value a row, and one row a line."""

from analysis.schema.cohort import LINE, PATIENT_ID, PATIENTS, RESPONSES
from analysis.schema.response import STAGING
from analysis.schema.table import Column, Table

# Classes whose earlier use, and use on this line, is a predictor: the vocabulary's word and the end of the name here.
PREDICTOR_CLASSES = {
    "PI": "pi",
    "IMiD": "imid",
    "anti-CD38": "anti_cd38",
    "alkylator": "alkylator",
    "CAR-T": "car_t",
    "bispecific": "bispecific",
}
NO_EARLIER_LINE = "no earlier line"

KNOWN = Table(
    "KNOWN",
    "patient, line and predictor that has a value",
    (
        PATIENT_ID,
        LINE,
        Column("predictor", "text", "column of PREDICTORS, or a name of your own"),
        Column("number", "number", "the value of a number; 1 or 0 for a flag", nullable=True),
        Column("word", "text", "the value of a word", nullable=True),
        Column("day", "number", "day on which the value became known, from the start of the line", "days"),
    ),
    key=("patient_id", "line", "predictor"),
)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "flag", meaning, required=False, nullable=True)


def _number(name: str, meaning: str, unit: str = "", maximum: float | None = None) -> Column:
    return Column(name, "number", meaning, unit, required=False, nullable=True, minimum=0, maximum=maximum)


def _word(name: str, meaning: str, words: tuple[str, ...] = ()) -> Column:
    return Column(name, "word" if words else "text", meaning, required=False, words=words)


def _at_diagnosis(name: str) -> Column:
    column = {**{c.name: c for c in PATIENTS.columns}, **{c.name: c for c in STAGING.columns}}[name]
    return Column(name, column.kind, column.meaning, column.unit, False, column.kind in ("number", "flag"),
                  column.minimum, column.maximum, column.words)  # fmt: skip


_DIAGNOSIS = (
    "iss",
    "r_iss",
    "r2_iss",
    "beta2_microglobulin_mg_l",
    "albumin_g_dl",
    "creatinine_mg_dl",
    "egfr_ml_min",
    "ldh_high",
    "del17p",
    "t4_14",
    "t14_16",
    "gain_1q",
    "tp53_mutation",
    "t14_20",
    "del1p32",
    "del1p32_biallelic",
    "fitness",
    "bmi_kg_m2",
    "smoking",
    "activity",
    "diet",
    "distress",
)

# `line` is a key, so its number is a predictor under the name `earlier_lines`; the index year travels beside them.
PREDICTORS = Table(
    "PREDICTORS",
    "patient and line: what was known on the day the line began",
    (
        PATIENT_ID,
        LINE,
        Column("index_year", "integer", PATIENTS["index_year"].meaning, "year", required=False, nullable=True),
        _number("age_years", "age on the day the line began; 90 stands for every age over 89", "years", 90),
        _at_diagnosis("sex"),
        _word("race", "race as the source records it"),
        *(_at_diagnosis(name) for name in _DIAGNOSIS),
        _number("earlier_lines", "number of earlier lines: the number of the line less one"),
        _number("days_since_first_line", "time since the first line began", "days"),
        _number("previous_days_to_next_line", "from the start of the previous line to the start of this", "days"),
        _number("previous_days_to_relapse", "from the start of the previous line to its relapse", "days"),
        _word("previous_response", "best response on the previous line", (*RESPONSES, NO_EARLIER_LINE)),
        _word(
            "previous_relapse",
            "how the relapse of the previous line showed itself; none: this line began without one",
            ("none", "biochemical", "clinical", "unknown", NO_EARLIER_LINE),
        ),
        _word(
            "previous_mrd",
            "last test of measurable residual disease on the previous line",
            ("negative", "positive", "unknown", NO_EARLIER_LINE),
        ),
        _flag("prior_transplant", "stem-cell transplant on an earlier line"),
        *(_flag(f"exposed_{end}", f"{name} given on an earlier line") for name, end in PREDICTOR_CLASSES.items()),
        _flag("refractory_pi", "refractory to a proteasome inhibitor given on an earlier line"),
        _flag("refractory_imid", "refractory to an immunomodulatory drug given on an earlier line"),
        _flag("refractory_anti_cd38", "refractory to an anti-CD38 antibody given on an earlier line"),
        _flag("triple_class_refractory", "refractory to all three of these classes"),
        _number("last_haemoglobin_g_dl", "last haemoglobin before the line", "g/dL"),
        _number("last_creatinine_mg_dl", "last serum creatinine before the line", "mg/dL"),
        _number("last_calcium_mg_dl", "last serum calcium before the line", "mg/dL"),
        _number("last_ldh_u_l", "last lactate dehydrogenase before the line", "U/L"),
        _number("last_m_protein_g_dl", "last serum M-protein before the line", "g/dL"),
        _number("last_light_chain_mg_l", "the higher of the free light chains last measured before the line", "mg/L"),
        _number("last_albumin_g_dl", "last serum albumin before the line", "g/dL"),
        _number("last_beta2_microglobulin_mg_l", "last serum beta-2 microglobulin before the line", "mg/L"),
        *(_flag(f"given_{end}", f"{name} begun on the line's first day") for name, end in PREDICTOR_CLASSES.items()),
    ),
    key=("patient_id", "line"),
)
