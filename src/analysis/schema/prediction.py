"""What a prediction returns: the risks themselves, and long frames of how good they are."""

from analysis.schema.results import NOTE, count, limits
from analysis.schema.table import Column, Table

MODEL = Column("model", "text", 'the model by name; "null" gives everybody the incidence of its training patients')
HORIZON = Column("horizon_months", "number", "time since line start by which the event may come", "months", minimum=0)
LINE_COUNT = count("lines", "patient-lines scored")
PATIENT_COUNT = count("patients", "patients they belong to")
EVENT_COUNT = count("events", "events in question seen by the horizon")

PREDICTIONS = Table(
    "PREDICTIONS",
    "patient, line, model and horizon",
    (
        Column("patient_id", "text", "the patient"),
        Column("line", "integer", "line of treatment", minimum=1),
        MODEL,
        HORIZON,
        Column("fold", "text", "the part of the patients that was set aside when the model was fitted"),
        Column("risk", "number", "probability of the event by the horizon; others compete", minimum=0, maximum=1),
        Column("time", "number", "time since line start", "days", minimum=0),
        Column("event", "text", "what ended the time"),
        NOTE,
    ),
    key=("patient_id", "line", "model", "horizon_months"),
)

_SCORE = (
    MODEL,
    Column("measure", "text", "AUC, Brier score, scaled Brier score, their integrals, Uno's C, calibration figures"),
    HORIZON,
    *limits(),
    Column("against", "text", "the model subtracted; empty for none"),
    Column("difference", "number", "estimate minus that of the model in `against`", nullable=True),
    Column("difference_low", "number", "lower confidence limit of the difference", nullable=True),
    Column("difference_high", "number", "upper confidence limit of the difference", nullable=True),
    Column(
        "verdict",
        "word",
        "what the limits of the difference say; empty where better has no meaning",
        words=("", "better", "worse", "not shown to be better"),
    ),
    LINE_COUNT,
    PATIENT_COUNT,
    EVENT_COUNT,
    NOTE,
)

SCORES = Table("SCORES", "model, measure and horizon", _SCORE, key=("model", "measure", "horizon_months"))

SUBGROUP_SCORES = Table(
    "SUBGROUP_SCORES",
    "subgroup, model, measure and horizon",
    (
        Column("variable", "text", "the column that makes the subgroups"),
        Column("level", "text", "its value"),
        *_SCORE,
    ),
    key=("variable", "level", "model", "measure", "horizon_months"),
)

LEARNING = Table(
    "LEARNING",
    "number of training patients, model, measure and horizon",
    (Column("training_patients", "integer", "patients that the model was fitted to", minimum=1), *_SCORE),
    key=("training_patients", "model", "measure", "horizon_months"),
)

OPTIMISM = Table(
    "OPTIMISM",
    "model, measure and horizon",
    (
        MODEL,
        Column("measure", "text", "the measure, as in SCORES"),
        HORIZON,
        Column("apparent", "number", "the measure in the patients the model was fitted to", nullable=True),
        Column("validated", "number", "the measure in patients that were set aside", nullable=True),
        *limits(),
        NOTE,
    ),
    key=("model", "measure", "horizon_months"),
)

CALIBRATION_CURVE = Table(
    "CALIBRATION_CURVE",
    "model, horizon and group of like risk",
    (
        MODEL,
        HORIZON,
        Column("group", "integer", "the group, from 1 for the lowest risk", minimum=1),
        Column("predicted", "number", "mean risk given to the group", minimum=0, maximum=1),
        *limits(),
        LINE_COUNT,
        EVENT_COUNT,
        NOTE,
    ),
    key=("model", "horizon_months", "group"),
)

NET_BENEFIT = Table(
    "NET_BENEFIT",
    "model, horizon and threshold",
    (
        Column("model", "text", 'the model by name, or "everybody" for acting on all; acting on nobody is 0'),
        HORIZON,
        Column("threshold", "number", "risk from which one would act", minimum=0, maximum=1),
        *limits(),
        count("above", "patient-lines with a risk of at least the threshold"),
        LINE_COUNT,
        NOTE,
    ),
    key=("model", "horizon_months", "threshold"),
)
