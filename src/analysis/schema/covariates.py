"""What is said of covariates: what became known of a line later, what is missing, which shape an effect has."""

from analysis.schema.cohort import SPELLS
from analysis.schema.results import NOTE, count, limits
from analysis.schema.table import Column, Table

# The first of each is the reference of a model.
_RESPONSE_GROUPS = ("less than PR", "PR", "VGPR", "CR or better", "unknown")
_MRD_RESULTS = ("positive", "negative", "not tested")

_KNOWN = (
    Column("response", "word", "deepest response on record by then", words=_RESPONSE_GROUPS),
    Column("mrd", "word", "last test of measurable residual disease by then", words=_MRD_RESULTS),
    Column("transplanted", "flag", "a stem-cell transplant of the line by then; missing: not on file", nullable=True),
    Column("maintained", "flag", "maintenance of the line begun by then; missing: not on file", nullable=True),
)

LANDMARK_SPELLS = Table(
    "LANDMARK_SPELLS",
    "patient and line still free of any event, and watched, at the landmark",
    (
        *SPELLS.columns,
        Column("landmark_days", "number", "days since line start from which entry and time count", "days", minimum=0),
        *_KNOWN,
    ),
    key=("patient_id", "line"),
)

STATUS_SPELLS = Table(
    "STATUS_SPELLS",
    "patient, line and stretch of time in which nothing new became known",
    (*SPELLS.columns, *_KNOWN),
    key=("patient_id", "line", "entry"),
)

PATTERNS = Table(
    "PATTERNS",
    "pattern of missing values",
    (
        Column("pattern", "text", 'the columns without a value, joined by +; "complete" where none is missing'),
        Column("columns", "integer", "how many columns lack a value", minimum=0),
        count("count", "patients (or rows, without a patient column) of this pattern"),
        count("total", "all patients (or rows)"),
        Column("share", "number", "count / total; missing where withheld", nullable=True, minimum=0, maximum=1),
    ),
    key=("pattern",),
)

FUNCTIONAL_FORM = Table(
    "FUNCTIONAL_FORM",
    "model, number and group",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("variable", "text", "the number in question"),
        Column("group", "integer", "groups of about equal size by rising number, from 1", minimum=1),
        Column("value", "number", "mean of the number in the group"),
        *limits("events seen / events expected by the model"),
        Column("expected", "number", "events that the model expects in the group", minimum=0),
        count("subjects", "clusters where there are some, otherwise rows, in the group"),
        count("events", "events in the group"),
        NOTE,
    ),
    key=("model", "variable", "group"),
)

EFFECT_BY_TIME = Table(
    "EFFECT_BY_TIME",
    "model, term and group of event times",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("term", "text", "column of the model"),
        Column("group", "integer", "groups of about equal numbers of events by rising time, from 1", minimum=1),
        Column("time", "number", "mean time of the events in the group", "days", minimum=0),
        *limits("hazard ratio"),
        Column("overall", "number", "the ratio that the model gives for all times", nullable=True),
        count("events", "events in the group"),
        NOTE,
    ),
    key=("model", "term", "group"),
)
