"""What your own tables may look like: the columns of each file, which are needed, and what stands in for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from analysis import schema
from analysis.schema import Column, Table

FURTHEST_DAY = 40_000  # 110 years either way: beyond it a day is an Excel serial number or a slip of the keyboard
_LAST_AGE = 120

INDEX_DATE = Column("index_date", "date", "day 0 of the patient's clock", "date", required=False, nullable=True)
NEXT_LINE_DAY = Column(
    "next_line_day", "integer", "start of the next line, where that line has no row", "days", False, True
)


@dataclass(frozen=True)
class Layout:
    """One file: its columns, those it must have, what stands for an absent column or an empty cell.

    `keeps_more` says whether columns beyond the declared ones pass (covariates and strata of patients, lines and
    spells); elsewhere they are left out and counted.
    """

    table: Table
    required: tuple[str, ...]
    defaults: dict[str, object] = field(default_factory=dict)
    more: tuple[Column, ...] = ()
    keeps_more: bool = False

    @property
    def name(self) -> str:
        """The name of the file without its ending, and the key of the table in the cohort."""
        return self.table.name.lower()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns as they may stand in a file: days within reason, ages before they are capped."""
        return tuple(_in_files(column, self.defaults) for column in (*self.table.columns, *self.more))


def _in_files(column: Column, defaults: dict[str, object]) -> Column:
    nullable = column.nullable or column.name in defaults
    if column.kind == "word" and "unknown" in column.words:
        nullable = True
    if column.kind == "integer" and column.unit == "days":
        return replace(column, minimum=-FURTHEST_DAY, maximum=FURTHEST_DAY, nullable=nullable)
    if column.name == "age_years":
        return replace(column, maximum=_LAST_AGE, nullable=nullable)
    return replace(column, nullable=nullable)


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(schema.COHORT, ()),
        Layout(
            schema.PATIENTS,
            ("patient_id", "last_contact_day", "death_day"),
            {"entry_day": 0, "last_contact_day": None},
            (INDEX_DATE,),
            keeps_more=True,
        ),
        Layout(schema.TREATMENTS, ("patient_id", "start_day", "agent")),
        Layout(schema.LABS, ("patient_id", "day", "test", "value", "unit"), {"unit": None}),
        Layout(schema.FINDINGS, ("patient_id", "day", "finding"), {"value": ""}),
        Layout(
            schema.LINES,
            ("patient_id", "line", "start_day"),
            {"regimen": "unknown", "classes": None, "transplant": None, "relapse_kind": None, "start_imputed": False},
            (NEXT_LINE_DAY,),
            keeps_more=True,
        ),
        Layout(schema.SPELLS, ("patient_id", "line", "time", "event"), {"entry": 0.0}, keeps_more=True),
    )
}
"""Every file that can be read, by name without its ending, in the order of reading."""

STAGES = ("treatments", "lines", "spells")
"""A cohort needs patients and one of these, or more."""


def date_name(column: Column) -> str:
    """The name under which a day may come as a date: start_day as start_date, day as date; "" for other columns."""
    is_day = column.kind == "integer" and column.unit == "days"
    return column.name.removesuffix("day") + "date" if is_day else ""
