"""What is said of a stored model, and the risks that it gives to patients it has not seen."""

from analysis.schema.cohort import LINE, PATIENT_ID
from analysis.schema.results import NOTE, limits
from analysis.schema.table import Column, Table

MODEL_CARD = Table(
    "MODEL_CARD",
    "item of a model card",
    (
        Column("section", "text", "part of the card"),
        Column("item", "text", "what is stated"),
        Column("text", "text", "the statement"),
    ),
    key=("section", "item"),
)

PATIENT_RISKS = Table(
    "PATIENT_RISKS",
    "patient, line and horizon",
    (
        PATIENT_ID,
        LINE,
        Column("horizon_months", "number", "time since line start by which the event may come", "months", minimum=0),
        *limits(),
        NOTE,
    ),
    key=("patient_id", "line", "horizon_months"),
)
