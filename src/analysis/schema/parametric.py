"""What parametric models of time return: how well each distribution fits, its parameters, its curve."""

from analysis.schema.results import EVENT, NOTE, TIME, count, limits
from analysis.schema.table import Column, Table

DISTRIBUTION = Column(
    "distribution",
    "text",
    "weibull, log-normal, log-logistic, generalised gamma, spline (of the log cumulative hazard), or mixture cure",
)

FITS = Table(
    "FITS",
    "distribution and event",
    (
        DISTRIBUTION,
        EVENT,
        Column("parameters", "integer", "how many parameters were fitted", minimum=1),
        Column("log_likelihood", "number", "at the maximum, times in days", nullable=True),
        Column("aic", "number", "2 parameters - 2 log-likelihood", nullable=True),
        Column("bic", "number", "log(events) parameters - 2 log-likelihood", nullable=True),
        Column("aic_difference", "number", "to the lowest of the frame", nullable=True, minimum=0),
        Column("bic_difference", "number", "to the lowest of the frame", nullable=True, minimum=0),
        Column("plateau", "number", "share that never has the event; mixture cure only", nullable=True, minimum=0),
        Column("plateau_low", "number", "lower limit of the plateau", nullable=True, minimum=0),
        Column("plateau_high", "number", "upper limit of the plateau", nullable=True, maximum=1),
        Column("converged", "flag", "a maximum was found: the gradient vanishes there, and no direction is flat"),
        count("subjects", "rows in the model"),
        count("events", "events in the model"),
        NOTE,
    ),
    key=("distribution", "event"),
)

PARAMETERS = Table(
    "PARAMETERS",
    "distribution, event and parameter",
    (
        DISTRIBUTION,
        EVENT,
        Column("parameter", "text", "the parameter as lifelines names it, times in days"),
        *limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True, minimum=0),
        count("subjects", "rows in the model"),
        count("events", "events in the model"),
    ),
    key=("distribution", "event", "parameter"),
)

FITTED_CURVES = Table(
    "FITTED_CURVES",
    "distribution, event and time",
    (
        DISTRIBUTION,
        EVENT,
        TIME,
        *limits(),
        Column("std_error", "number", "standard error of the estimate", nullable=True, minimum=0),
        count("at_risk", "rows at risk just before the time"),
        Column("extrapolated", "flag", "past the last event: the model speaks, not the data"),
    ),
    key=("distribution", "event", "time"),
)
