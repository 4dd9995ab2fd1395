"""What an estimate returns: long frames in which one row is one number with its limits and its counts."""

from analysis.schema.table import Column, Table

STRATUM = Column("stratum", "text", 'label of the group, "all" when there is only one')
EVENT = Column("event", "text", "event word, or any for all events together")
TIME = Column("time", "number", "time since line start", "days", minimum=0)
NOTE = Column("note", "text", "warnings raised while estimating, and why a number is missing; empty when all is well")


def _limits(unit: str = "") -> tuple[Column, ...]:
    return (
        Column("estimate", "number", "the estimate", unit, nullable=True),
        Column("conf_low", "number", "lower confidence limit", unit, nullable=True),
        Column("conf_high", "number", "upper confidence limit", unit, nullable=True),
    )


def _count(name: str, meaning: str) -> Column:
    """A count is missing only where a small number was withheld (see disclosure)."""
    return Column(name, "number", meaning, nullable=True, minimum=0)


FLOW = Table(
    "FLOW",
    "step of selection",
    (
        Column("step", "integer", "order of the step, from 1"),
        Column("rule", "text", "the rule in plain words"),
        Column("removed", "integer", "patients removed by the rule; missing when withheld", nullable=True, minimum=0),
        Column("remaining", "integer", "patients left after it; missing when withheld", nullable=True, minimum=0),
    ),
    key=("step",),
)

CURVES = Table(
    "CURVES",
    "estimand, stratum, event and time",
    (
        Column(
            "estimand",
            "text",
            "what is estimated: survival, cumulative incidence, one minus Kaplan-Meier, crude share, "
            "mean number of relapses, mean number of further lines, gap time corrected or plain",
        ),
        STRATUM,
        EVENT,
        TIME,
        *_limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True),
        _count("at_risk", "subjects at risk just before the time"),
        _count("events", "events of this kind at the time (in tables at fixed times: up to the time)"),
        _count("censored", "subjects censored at the time (in tables at fixed times: up to the time)"),
    ),
    key=("estimand", "stratum", "event", "time"),
)

RISK = Table(
    "RISK",
    "stratum, time and state",
    (
        STRATUM,
        TIME,
        Column(
            "state", "text", "at risk, not yet entered, censored, or an event word: the states add up to all subjects"
        ),
        _count("count", "subjects in the state just before the time"),
    ),
    key=("stratum", "time", "state"),
)

QUANTILES = Table(
    "QUANTILES",
    "estimand, stratum, event and probability",
    (
        Column("estimand", "text", "of which curve: survival, cumulative incidence, follow-up"),
        STRATUM,
        EVENT,
        Column("probability", "number", "the quantile, 0.5 for the median", minimum=0, maximum=1),
        *_limits("days"),
        _count("subjects", "subjects in the stratum"),
        _count("events", "events in the stratum"),
        NOTE,
    ),
    key=("estimand", "stratum", "event", "probability"),
)

RESTRICTED_MEANS = Table(
    "RESTRICTED_MEANS",
    "estimand, stratum and event",
    (
        Column("estimand", "text", "restricted mean survival, or restricted mean time lost to an event"),
        STRATUM,
        EVENT,
        Column("horizon", "number", "time since line start up to which the mean is taken", "days", minimum=0),
        *_limits("days"),
        Column("std_error", "number", "standard error of the estimate", "days", nullable=True),
        _count("at_risk", "subjects at risk just before the horizon"),
        _count("subjects", "subjects in the stratum"),
        _count("events", "events of this kind up to the horizon"),
        NOTE,
    ),
    key=("estimand", "stratum", "event"),
)

OCCUPANCY = Table(
    "OCCUPANCY",
    "stratum, state and time",
    (
        STRATUM,
        Column("state", "text", "line 1, line 2 ..., no further treatment, death: where a patient can be"),
        Column("time", "number", "time since time zero of the patient, the start of the first line", "days", minimum=0),
        *_limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True),
        _count("at_risk", "patients watched in the state just before the time"),
        _count("entered", "moves into the state at the time (in tables at fixed times: up to the time)"),
        NOTE,
    ),
    key=("stratum", "state", "time"),
)

EXPECTED_TIMES = Table(
    "EXPECTED_TIMES",
    "stratum and state",
    (
        STRATUM,
        Column("state", "text", "line 1, line 2 ..., no further treatment, death: where a patient can be"),
        Column("horizon", "number", "time since time zero up to which the time is counted", "days", minimum=0),
        *_limits("days"),
        Column("std_error", "number", "standard error of the estimate", "days", nullable=True),
        NOTE,
    ),
    key=("stratum", "state"),
)

DIFFERENCES = Table(
    "DIFFERENCES",
    "estimand, stratum and event",
    (
        Column("estimand", "text", "what is compared: restricted mean survival, restricted mean time lost"),
        STRATUM,
        Column("reference", "text", "label of the group subtracted"),
        EVENT,
        Column("horizon", "number", "time since line start up to which the mean is taken", "days", minimum=0),
        *_limits("days"),
        Column("std_error", "number", "standard error of the difference", "days", nullable=True),
        Column("p", "number", "two-sided, of no difference (normal)", nullable=True, minimum=0, maximum=1),
        NOTE,
    ),
    key=("estimand", "stratum", "event"),
)

GROUP_TESTS = Table(
    "GROUP_TESTS",
    "test and event",
    (
        Column("test", "text", "name of the test: log-rank, Gray"),
        EVENT,
        Column("compared", "text", "columns whose values make the groups compared, joined by +"),
        Column("stratified_by", "text", "columns within whose values they are compared, joined by +; empty for none"),
        Column("groups", "integer", "groups compared", minimum=0),
        Column("statistic", "number", "chi-square statistic", nullable=True, minimum=0),
        Column("df", "integer", "degrees of freedom", minimum=0),
        Column("p", "number", "chance of such a statistic or a larger one", nullable=True, minimum=0, maximum=1),
        _count("subjects", "subjects compared"),
        _count("events", "events of this kind"),
        NOTE,
    ),
    key=("test", "event"),
)

RATES = Table(
    "RATES",
    "stratum and event",
    (
        STRATUM,
        EVENT,
        _count("subjects", "subjects in the stratum"),
        _count("events", "events"),
        Column("person_years", "number", "time under observation", "years", nullable=True, minimum=0),
        *_limits("per 100 person-years"),
    ),
    key=("stratum", "event"),
)

ATTRITION = Table(
    "ATTRITION",
    "line, reading, outcome and time",
    (
        Column("line", "integer", "line of treatment that the patients started", minimum=1),
        Column(
            "reading",
            "word",
            "crude share of all who started, or Aalen-Johansen at a time",
            words=("crude", "Aalen-Johansen"),
        ),
        Column(
            "outcome", "word", "what came first after the start of the line", words=("next_line", "death", "neither")
        ),
        Column("time", "number", "time since line start; missing for the crude reading", "days", nullable=True),
        *_limits(),
        _count("entered", "patients who started the line"),
        _count("count", "patients with the outcome"),
        Column(
            "at_risk",
            "number",
            "patients at risk just before the time; missing for the crude reading",
            required=False,
            nullable=True,
            minimum=0,
        ),
    ),
    key=("line", "reading", "outcome", "time"),
)

EFFECTS = Table(
    "EFFECTS",
    "model and term",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("term", "text", "column of the model: a number, or a factor with its level in brackets"),
        Column("scale", "text", "what `estimate` is: hazard ratio, subdistribution hazard ratio"),
        *_limits(),
        Column("log_estimate", "number", "the coefficient: natural logarithm of the estimate", nullable=True),
        Column("std_error", "number", "standard error of the coefficient", nullable=True, minimum=0),
        Column("p", "number", "two-sided p of the Wald test that the coefficient is 0", nullable=True, minimum=0),
        _count("subjects", "clusters where there are some, otherwise rows, in the model"),
        _count("events", "events in the model"),
        NOTE,
    ),
    key=("model", "term"),
)

RESIDUALS = Table(
    "RESIDUALS",
    "model, kind, row and term",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("kind", "text", "martingale, schoenfeld, scaled schoenfeld or dfbeta"),
        Column("row", "integer", "place of the row among the spells given, from 0", minimum=0),
        TIME,
        Column("term", "text", "column of the model; empty for martingale residuals"),
        Column("residual", "number", "the residual"),
    ),
    key=("model", "kind", "row", "term"),
)

TESTS = Table(
    "TESTS",
    "model, test and term",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("test", "text", "the test by name"),
        Column("term", "text", 'term of the formula, "all" for all together'),
        Column("statistic", "number", "chi-squared statistic", nullable=True),
        Column("df", "integer", "degrees of freedom", minimum=0),
        Column("p", "number", "p of the statistic", nullable=True, minimum=0, maximum=1),
        NOTE,
    ),
    key=("model", "test", "term"),
)

AT_TIMES = Table("AT_TIMES", "estimand, stratum, event and fixed time", CURVES.columns, CURVES.key)

GROUPS = Table(
    "GROUPS",
    "stratum",
    (
        STRATUM,
        _count("subjects", "patients in the group"),
        _count("events", "events of any kind in the group"),
        Column("enough", "flag", "the group has enough patients for curves and rates"),
    ),
    key=("stratum",),
)


def _usage(name: str, kind: str) -> Table:
    columns = (
        Column("line", "integer", "line of treatment", minimum=1),
        Column(kind, "text", f"{kind.replace('_', ' ')} used on the line"),
        _count("patients", "patients treated so on the line"),
        _count("total", "patients who started the line"),
        Column("share", "number", "patients / total; missing where withheld", nullable=True, minimum=0, maximum=1),
    )
    return Table(name, f"line and {kind.replace('_', ' ')}", columns, key=("line", kind))


AGENTS = Table(
    "AGENTS",
    "agent",
    (
        Column("agent", "text", "agent as it stands in the source"),
        _count("patients", "patients treated with it"),
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
        _count("patients", "patients with this strategy on the line who went there"),
    ),
    key=("line", "strategy", "next"),
)

_DEFINITION = (
    Column("definition", "text", "the choices in one text"),
    Column("rule", "text", "rule that makes the lines"),
    Column("window_days", "integer", "agents begun within it belong to the regimen", "days", minimum=0),
    Column("gap_days", "integer", "a longer pause ends the line; missing: none does", "days", nullable=True),
    Column("imwg_version", "integer", "year of the response criteria"),
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
        *_limits(),
        _count("subjects", "patients who started the line under this definition"),
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
        _count("patients", "patients with these numbers of lines"),
        _count("same_starts", "of them, those whose lines all start within the tolerance"),
    ),
    key=("lines_stated", "lines_derived"),
)

DESCRIPTION = Table(
    "DESCRIPTION",
    "variable, level and stratum",
    (
        Column("variable", "text", "the variable, by its name in the cohort's table"),
        Column("level", "text", "level of a word or flag; empty for a number"),
        STRATUM,
        Column("statistic", "word", "count of a level, or median of a number", words=("count", "median")),
        Column("estimate", "number", "share of the known values in the level, or the median", nullable=True),
        Column("low", "number", "lower quartile of a number", nullable=True),
        Column("high", "number", "upper quartile of a number", nullable=True),
        _count("count", "subjects in the level, or with a known value"),
        _count("total", "subjects in the stratum"),
        Column("unit", "text", "unit of a number"),
    ),
    key=("variable", "level", "stratum"),
)

MISSINGNESS = Table(
    "MISSINGNESS",
    "table and column",
    (
        Column("table", "text", "table of the cohort"),
        Column("column", "text", "column of the table"),
        _count("missing", "rows without a value, or unknown"),
        _count("total", "rows"),
        Column("share", "number", "missing / total", minimum=0, maximum=1, nullable=True),
    ),
    key=("table", "column"),
)

CALIBRATION = Table(
    "CALIBRATION",
    "published target",
    (
        Column("target", "text", "the published figure in words"),
        Column("unit", "text", "its unit"),
        Column("published", "number", "the published figure"),
        Column("band_low", "number", "lower end of the accepted band"),
        Column("band_high", "number", "upper end of the accepted band"),
        Column("achieved", "number", "the same figure in this cohort", nullable=True),
        Column("inside", "flag", "achieved lies within the band"),
        Column("source", "text", "publication"),
        Column("grade", "text", "evidence grade of the published figure"),
        Column("note", "text", "reason for a miss; empty when inside"),
    ),
    key=("target",),
)

CHECKS = Table(
    "CHECKS",
    "check",
    (
        Column("check", "text", "what was checked, in words"),
        Column("value", "number", "the figure found", nullable=True),
        Column("limit", "number", "the figure allowed", nullable=True),
        Column("passed", "flag", "value within the limit"),
        NOTE,
    ),
    key=("check",),
)
