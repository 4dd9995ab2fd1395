"""What an estimate returns: long frames in which one row is one number with its limits and its counts."""

from analysis.schema.table import Column, Table

STRATUM = Column("stratum", "text", 'label of the group, "all" when there is only one')
EVENT = Column("event", "text", "event word, or any for all events together")
TIME = Column("time", "number", "time since line start", "days", minimum=0)
NOTE = Column("note", "text", "warnings raised while estimating, and why a number is missing; empty when all is well")


def limits(unit: str = "") -> tuple[Column, ...]:
    """The estimate with its confidence limits."""
    return (
        Column("estimate", "number", "the estimate", unit, nullable=True),
        Column("conf_low", "number", "lower confidence limit", unit, nullable=True),
        Column("conf_high", "number", "upper confidence limit", unit, nullable=True),
    )


def count(name: str, meaning: str) -> Column:
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
        *limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True),
        count("at_risk", "subjects at risk just before the time"),
        count("events", "events of this kind at the time (in tables at fixed times: up to the time)"),
        count("censored", "subjects censored at the time (in tables at fixed times: up to the time)"),
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
        count("count", "subjects in the state just before the time"),
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
        *limits("days"),
        count("subjects", "subjects in the stratum"),
        count("events", "events in the stratum"),
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
        *limits("days"),
        Column("std_error", "number", "standard error of the estimate", "days", nullable=True),
        count("at_risk", "subjects at risk just before the horizon"),
        count("subjects", "subjects in the stratum"),
        count("events", "events of this kind up to the horizon"),
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
        *limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True),
        count("at_risk", "patients watched in the state just before the time"),
        count("entered", "moves into the state at the time (in tables at fixed times: up to the time)"),
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
        *limits("days"),
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
        *limits("days"),
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
        count("subjects", "subjects compared"),
        count("events", "events of this kind"),
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
        count("subjects", "subjects in the stratum"),
        count("events", "events"),
        Column("person_years", "number", "time under observation", "years", nullable=True, minimum=0),
        *limits("per 100 person-years"),
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
        *limits(),
        count("entered", "patients who started the line"),
        count("count", "patients with the outcome"),
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

AT_TIMES = Table("AT_TIMES", "estimand, stratum, event and fixed time", CURVES.columns, CURVES.key)

GROUPS = Table(
    "GROUPS",
    "stratum",
    (
        STRATUM,
        count("subjects", "patients in the group"),
        count("events", "events of any kind in the group"),
        Column("enough", "flag", "the group has enough patients for curves and rates"),
    ),
    key=("stratum",),
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
        count("count", "subjects in the level, or with a known value"),
        count("total", "subjects in the stratum"),
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
        count("missing", "rows without a value, or unknown"),
        count("total", "rows"),
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
