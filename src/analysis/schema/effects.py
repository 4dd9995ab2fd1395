"""What models of hazards return: effects, their tests and residuals, adjusted contrasts, published effects."""

from analysis.schema.results import EVENT, NOTE, STRATUM, TIME, count, limits
from analysis.schema.table import Column, Table

EFFECTS = Table(
    "EFFECTS",
    "model and term",
    (
        Column("model", "text", "the model in words, with its event"),
        Column("term", "text", "column of the model: a number, or a factor with its level in brackets"),
        Column("scale", "text", "what `estimate` is: hazard ratio, subdistribution hazard ratio, time ratio"),
        *limits(),
        Column("log_estimate", "number", "the coefficient: natural logarithm of the estimate", nullable=True),
        Column("std_error", "number", "standard error of the coefficient", nullable=True, minimum=0),
        Column("p", "number", "two-sided p of the Wald test that the coefficient is 0", nullable=True, minimum=0),
        count("subjects", "clusters where there are some, otherwise rows, in the model"),
        count("events", "events in the model"),
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

CONTRASTS = Table(
    "CONTRASTS",
    "estimand, stratum, event and time",
    (
        Column("estimand", "text", "what is compared: standardised cumulative incidence"),
        STRATUM,
        Column("reference", "text", "label of the group subtracted"),
        EVENT,
        TIME,
        *limits(),
        Column("std_error", "number", "standard error of the difference", nullable=True),
        Column("p", "number", "two-sided, of no difference (normal)", nullable=True, minimum=0, maximum=1),
        count("subjects", "clusters where there are some, otherwise rows, in the models"),
        count("events", "events of this kind up to the time"),
        NOTE,
    ),
    key=("estimand", "stratum", "event", "time"),
)

TERMS = Table(
    "TERMS",
    "covariate",
    (
        Column("term", "text", "column of the spells"),
        Column("formula", "text", "how it enters a formula"),
        Column("used", "flag", "it enters the models"),
        Column("reference", "text", "level that the others are compared with; empty for a number or a flag"),
        Column("columns", "integer", "columns of the model that it makes", minimum=0),
        count("known", "spells with a known value"),
        count("smallest", "spells in its smallest level; missing for numbers"),
        Column("note", "text", "why it does not enter; empty when it does"),
    ),
    key=("term",),
)

PUBLISHED_EFFECTS = Table(
    "PUBLISHED_EFFECTS",
    "term and publication",
    (
        Column("term", "text", "column of a model, as EFFECTS names it"),
        Column("contrast", "text", "what is compared with what, in the words of the publication"),
        Column("outcome", "text", "the event of the published ratio"),
        Column("event", "text", "our event word that it stands nearest to"),
        *limits(),
        Column("source", "text", "publication"),
        Column("grade", "text", "evidence grade of the published figure"),
    ),
    key=("term", "contrast", "outcome", "source"),
)
