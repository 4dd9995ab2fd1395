"""What is said of treatments and lines: how often each is given, what follows what, and what a definition changes."""

from analysis.schema.results import EVENT, NOTE, TIME, count, limits
from analysis.schema.table import Column, Table


def _usage(name: str, kind: str) -> Table:
    columns = (
        Column("line", "integer", "line of treatment", minimum=1),
        Column(kind, "text", f"{kind.replace('_', ' ')} used on the line"),
        count("patients", "patients treated so on the line"),
        count("total", "patients who started the line"),
        Column("share", "number", "patients / total; missing where withheld", nullable=True, minimum=0, maximum=1),
    )
    return Table(name, f"line and {kind.replace('_', ' ')}", columns, key=("line", kind))


AGENTS = Table(
    "AGENTS",
    "agent",
    (
        Column("agent", "text", "agent as it stands in the source"),
        count("patients", "patients treated with it"),
    ),
    key=("agent",),
)
REGIMENS = _usage("REGIMENS", "regimen")
CLASS_SHARES = _usage("CLASS_SHARES", "drug_class")
REASONS = _usage("REASONS", "end_reason")

STRATEGIES = ("CAR-T", "bispecific", "anti-CD38", "PI + IMiD", "PI", "IMiD", "other")
STRATEGY = Column("strategy", "word", "the newest principle that the line contains", words=STRATEGIES)

CLASS_FLOWS = Table(
    "CLASS_FLOWS",
    "line, strategy and what came next",
    (
        Column("line", "integer", "line of treatment", minimum=1),
        STRATEGY,
        Column(
            "next",
            "word",
            "strategy of the next line; death before one; or neither so far",
            words=(*STRATEGIES, "death", "neither"),
        ),
        count("patients", "patients with this strategy on the line who went there"),
    ),
    key=("line", "strategy", "next"),
)

_DEFINITION = (
    Column("definition", "text", "the choices in one text"),
    Column("rule", "text", "rule that makes the lines"),
    Column("window_days", "integer", "agents begun within it belong to the regimen", "days", minimum=0),
    Column("gap_days", "integer", "a longer pause ends the line; missing: none does", "days", nullable=True),
    Column("imwg_version", "integer", "year of the response criteria; missing: none are used", nullable=True),
    Column("default", "flag", "the definition that one would take first"),
)

DEFINITIONS = Table("DEFINITIONS", "definition of line and relapse", _DEFINITION, key=("definition",))

SPECIFICATIONS = Table(
    "SPECIFICATIONS",
    "event, line and definition",
    (
        EVENT,
        TIME,
        Column("line", "integer", "line of treatment", minimum=1),
        *_DEFINITION,
        *limits(),
        count("subjects", "patients who started the line under this definition"),
        NOTE,
    ),
    key=("event", "time", "line", "definition"),
)

COURSES = Table(
    "COURSES",
    "course and line",
    (
        Column("course", "integer", "number of the course, from 1; no patient's name", minimum=1),
        Column("line", "integer", "line of treatment", minimum=1),
        STRATEGY,
        Column("start", "number", "start of the line since the first", "days", minimum=0),
        Column("end", "number", "start of the next line, or the end of observation", "days", minimum=0),
        Column("relapse", "number", "day of relapse in the line; missing without one", "days", nullable=True),
        Column("event", "word", "what ended observation in the course's last line", words=("", "death", "censored")),
    ),
    key=("course", "line"),
)

LINE_AGREEMENT = Table(
    "LINE_AGREEMENT",
    "number of lines stated and number derived",
    (
        Column("lines_stated", "integer", "lines of the patient as stated, or by the first reading", minimum=0),
        Column("lines_derived", "integer", "lines of the patient by rule, or by the second reading", minimum=0),
        count("patients", "patients with these numbers of lines"),
        count("same_starts", "of them, those whose lines all start within the tolerance"),
    ),
    key=("lines_stated", "lines_derived"),
)
