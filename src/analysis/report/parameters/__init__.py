"""A notebook's parameter cell as a typed interface: read once, checked before any kernel starts.

The cell tagged "parameters" holds one parameter per line, and nothing else but imports, comments and a docstring::

    cohort: str = "synthetic"  # cohort by name or folder
    horizon_months: float = 60  # how far the curves go (months, 1 to 360)
    endpoint: Literal["relapse", "next_line"] | None = None  # what ends a line
    since: date | None = "2015-01-01"  # first day that counts (2000-01-01 to 2026-12-31)

Kinds are int, float, bool, str, date, Literal[...], list[...] of these, and any of them with `| None`. The brackets
that close the help hold the unit and the range, in any order, parted by commas: "1 to 360", "at least 1", "at most 5".
In a list, the range holds for each item.

A date reaches the notebook as ISO text, from a study file, a command line or plain papermill alike, since papermill
can store no date in a notebook; `pd.Timestamp(since)` takes it, and None too.

A secret is never a parameter: papermill stores each value twice in the notebook that it saves. Names and values that
look like one are refused unseen; a notebook reads secrets from its environment.

faults   the one error, and the hint for a misspelt name
secrets  what is refused unseen
kinds    what a value may be, and how text becomes one
values   values, checked; parameters, described
cell     the parameter cell, read
"""

from analysis.report.parameters.cell import parse, read
from analysis.report.parameters.faults import UsageError, nearest
from analysis.report.parameters.kinds import Parameter
from analysis.report.parameters.secrets import refuse_secrets, secret_faults
from analysis.report.parameters.values import accept, describe

__all__ = [
    "Parameter",
    "UsageError",
    "accept",
    "describe",
    "nearest",
    "parse",
    "read",
    "refuse_secrets",
    "secret_faults",
]
