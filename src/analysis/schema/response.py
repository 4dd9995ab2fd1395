"""What raw laboratory values and findings say of each line: response, relapse, refractoriness, early relapse, risk."""

from analysis.schema.cohort import LINE, PATIENT_ID, RESPONSES, STAGES
from analysis.schema.table import Column, Table

_PARAMETERS = ("serum M-protein", "urine M-protein", "free light chains", "bone marrow plasma cells", "none")
_LEVELS = (*RESPONSES[:-1], "NE")


def _day(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, "days", nullable=True)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "flag", meaning, nullable=True)


ASSESSMENTS = Table(
    "ASSESSMENTS",
    "patient, line and sample of the marker that leads the line",
    (
        PATIENT_ID,
        LINE,
        Column("day", "integer", "day of the sample", "days"),
        Column("parameter", "word", "the marker", words=_PARAMETERS),
        Column("value", "number", "its value; of free light chains the difference, in mg/L"),
        Column("baseline", "number", "its value at the start of the line"),
        Column("reference", "number", "the lowest value before this sample, against which progression is held"),
        Column("level", "word", "response at this sample, progression tested first", words=_LEVELS),
        Column("confirmed", "word", "best response confirmed up to here; NE: nothing to confirm yet", words=_LEVELS),
    ),
    key=("patient_id", "line", "day"),
)

OUTCOMES = Table(
    "OUTCOMES",
    "patient and line",
    (
        PATIENT_ID,
        LINE,
        Column("parameter", "word", "the marker that leads the line", words=_PARAMETERS),
        Column("evaluable", "flag", "response and progression could be judged"),
        Column("why_not", "text", "why not; empty where it could"),
        Column("samples", "integer", "samples of that marker after baseline", minimum=0),
        Column("best_response", "word", "best confirmed response before progression", words=RESPONSES),
        _day("best_response_day", "first sample of the best response"),
        _day("response_day", "first sample of a response of at least PR, later confirmed"),
        _day("progression_day", "first of the samples that show confirmed progression"),
        _day("confirmed_day", "the sample that confirms it"),
        Column("progression_by", "text", "marker or lesion that showed it first; empty without progression"),
        Column(
            "relapse_kind",
            "word",
            "how the relapse showed itself",
            words=("none", "biochemical", "clinical", "unknown"),
        ),
        _day("complete_response_day", "first confirmed complete response"),
        _day("relapse_from_complete_response_day", "first sign of disease after it"),
        _day("mrd_negative_day", "first negative test of measurable residual disease"),
        _day("relapse_from_mrd_negative_day", "first sign of disease after it"),
        _day("significant_biochemical_day", "first significant biochemical relapse by M-protein"),
    ),
    key=("patient_id", "line"),
)

EVALUABLE = Table(
    "EVALUABLE",
    "mode, line and status",
    (
        Column("mode", "word", "how missing items are read", words=("strict", "lab_only")),
        LINE,
        Column("evaluable", "flag", "these lines could be judged"),
        Column("status", "text", "the marker that was followed, or why the line could not be judged"),
        Column("count", "integer", "lines", minimum=0),
        Column("of", "integer", "all lines of this number", minimum=0),
        Column("share", "number", "count / of", minimum=0, maximum=1),
    ),
    key=("mode", "line", "status"),
)

REFRACTORY = Table(
    "REFRACTORY",
    "patient, line and agent",
    (
        PATIENT_ID,
        LINE,
        Column("agent", "text", "ingredient, in the vocabulary's spelling"),
        Column("drug_class", "text", "its class"),
        _flag("refractory", "no response on it, or progression on it or soon after its last dose; missing: unknown"),
        Column(
            "reason",
            "word",
            "what made it so",
            words=("non-response", "progression", "none", "unknown"),
        ),
    ),
    key=("patient_id", "line", "agent"),
)

REFRACTORY_STATUS = Table(
    "REFRACTORY_STATUS",
    "patient and line: what the patient is refractory to by the end of that line",
    (
        PATIENT_ID,
        LINE,
        _flag("primary_refractory", "no line so far brought the response asked for"),
        _flag("proteasome_inhibitor", "refractory to a proteasome inhibitor"),
        _flag("immunomodulator", "refractory to an immunomodulatory drug"),
        _flag("anti_cd38", "refractory to an anti-CD38 antibody"),
        _flag("triple_class", "refractory to all three classes"),
        _flag("penta_drug", "refractory to two drugs of each of the first two classes and to an anti-CD38 antibody"),
    ),
    key=("patient_id", "line"),
)

EARLY_RELAPSE = Table(
    "EARLY_RELAPSE",
    "patient, line, clock and limit",
    (
        PATIENT_ID,
        LINE,
        Column("clock", "word", "day 0", words=("line start", "transplant")),
        Column("within_months", "number", "the limit", "months", minimum=0),
        Column(
            "outcome",
            "word",
            "what came first by the limit; unknown where it was not watched so long or a next line came first",
            words=("relapse", "no relapse", "death", "unknown"),
        ),
    ),
    key=("patient_id", "line", "clock", "within_months"),
)

IMPLAUSIBLE = Table(
    "IMPLAUSIBLE",
    "laboratory value that cannot be right beside its neighbours",
    (
        PATIENT_ID,
        Column("day", "integer", "day of the sample", "days"),
        Column("test", "text", "test, in the vocabulary's spelling"),
        Column("value", "number", "the value, in canonical units"),
        Column("expected", "number", "what its neighbours say; missing without two of them", nullable=True),
        Column("factor", "number", "value / expected", nullable=True),
        Column("reason", "text", "the rule that it breaks"),
    ),
)

_R2_STAGES = ("I", "II", "III", "IV")

STAGING = Table(
    "STAGING",
    "patient",
    (
        PATIENT_ID,
        Column("iss", "word", "International Staging System", words=STAGES),
        Column("r_iss", "word", "revised ISS", words=STAGES),
        Column("r2_iss_points_min", "number", "points of the second revision that are sure", minimum=0, maximum=5),
        Column("r2_iss_points_max", "number", "points when all that is unknown is there", minimum=0, maximum=5),
        Column("r2_iss_min", "word", "lowest stage that is possible", words=_R2_STAGES),
        Column("r2_iss_max", "word", "highest stage that is possible", words=_R2_STAGES),
        Column("r2_iss", "word", "the stage where only one is possible", words=(*_R2_STAGES, "unknown")),
        _flag("high_risk_2025", "high risk by IMS and IMWG 2025; missing where not determinable"),
    ),
    key=("patient_id",),
)
