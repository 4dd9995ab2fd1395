"""How a number is written: every rounding rule, separator and escape of the pages stands here and nowhere else."""

from __future__ import annotations

import html
import math
import re

import pandas as pd

from analysis import schema

NO_BREAK_SPACE = "\u00a0"
SMALL = 7  # the largest count that disclosure withholds
WITHHELD = f"1–{SMALL}"
NOT_REACHED = "not reached"
NOT_KNOWN = "not known"
GONE = "withheld"
BEYOND = "too few left"
AT_RISK_MINIMUM = 11  # the same as disclosure's: with fewer left, one patient moves the estimate by a tenth
FEW = "†"
FEW_NOTE = f"{FEW} fewer than {AT_RISK_MINIMUM} patients still at risk: not reliable"


def missing(value) -> bool:
    """Is this number absent (None, NaN, NA or infinite)?"""
    return bool(pd.isna(value)) or (isinstance(value, float) and math.isinf(value))


def format_count(count, withheld: str = WITHHELD) -> str:
    """A count with its thousands separator; a missing count is one that was withheld.

    Example
    -------
    >>> format_count(12345), format_count(None)
    ('12,345', '1–7')
    """
    return withheld if missing(count) else f"{round(count):,}"


def shown_count(row, name: str) -> str:
    """A count of a row: the number, or what `disclosure.withhold` left in its place."""
    said = row.get(f"{name}_withheld", "")
    return format_count(row[name], said if isinstance(said, str) and said else WITHHELD)


def why_missing(row) -> str:
    """Why a row has no estimate: a count behind it was withheld, or the curve ends before its time."""
    if row.get("missing", ""):
        return row["missing"]
    if row.get("at_risk", None) == 0:
        return BEYOND
    said = [row[name] for name in row.index if str(name).endswith("_withheld")]
    return GONE if any(isinstance(text, str) and text for text in said) else BEYOND


def why_no_median(row) -> str:
    """Why a row of QUANTILES has no estimate: withheld, unknown, or not reached while enough were watched."""
    said = [row[name] for name in row.index if str(name).endswith("_withheld")]
    if any(isinstance(text, str) and text for text in said):
        return GONE
    return NOT_KNOWN if str(row.get("note", "")).startswith("nobody") else NOT_REACHED


def few_left(row) -> bool:
    """Are fewer than `AT_RISK_MINIMUM` at risk where this row stands? A missing number was withheld, so it is few."""
    return "at_risk" not in row.index or missing(row["at_risk"]) or row["at_risk"] < AT_RISK_MINIMUM


def known_few(row) -> bool:
    """`few_left`, for rows of frames that need not tell who is at risk; a crude share rests on nobody at risk."""
    return "at_risk" in row.index and row.get("reading", "") != "crude" and few_left(row)


def format_figure(value) -> str:
    """A figure of any size: one decimal, two below ten, where one would hide a difference."""
    return format_number(value, 1 if missing(value) or abs(value) >= 10 else 2)


def format_number(value, decimals: int = 1) -> str:
    """A number with a fixed count of decimals, or "not known"; minus zero is zero."""
    if missing(value):
        return NOT_KNOWN
    return f"{round(float(value), decimals) + 0.0:,.{decimals}f}"


def format_percent(share, decimals: int = 1) -> str:
    """A share between 0 and 1 as a percentage; what rounds to nothing or to all without being so is said.

    Example
    -------
    >>> [format_percent(share).replace(NO_BREAK_SPACE, " ") for share in (0.3814, 0.0002, 0, 1)]
    ['38.1 %', '<0.1 %', '0.0 %', '100.0 %']
    """
    if missing(share):
        return NOT_KNOWN
    step = 10**-decimals
    text = format_number(100 * share, decimals)
    if share > 0 and float(text) == 0:
        text = f"<{step:.{decimals}f}"
    elif share < 1 and float(text.replace(",", "")) == 100:
        text = f">{100 - step:.{decimals}f}"
    return f"{text}{NO_BREAK_SPACE}%"


def format_months(days) -> str:
    """A time in days as months with one decimal (a month is 30.4375 days); a missing time was not reached.

    Example
    -------
    >>> format_months(730.5).replace(NO_BREAK_SPACE, " "), format_months(None)
    ('24.0 months', 'not reached')
    """
    return NOT_REACHED if missing(days) else f"{format_number(days / schema.DAYS_PER_MONTH)}{NO_BREAK_SPACE}months"


def format_time_point(months) -> str:
    """A time asked for, such as a horizon: "24 months", "1 month", "7.5 months"."""
    text = f"{months:,.1f}".removesuffix(".0")
    return f"{text}{NO_BREAK_SPACE}{'month' if text == '1' else 'months'}"


def format_value(value, kind: str) -> str:
    """A number of one `kind`: "percent" (a share), "months" (given in days), "rate", "points" or "number"."""
    if kind == "percent":
        return format_percent(value)
    if kind == "months":
        return format_months(value)
    return format_number(value)


def format_interval(low, high, kind: str = "percent") -> str:
    """Two limits as a range with an en dash and the unit once; empty when both are missing.

    Example
    -------
    >>> format_interval(0.364, 0.398).replace(NO_BREAK_SPACE, " ")
    '36.4–39.8 %'
    >>> format_interval(548, None, "months").replace(NO_BREAK_SPACE, " ")
    '18.0 months to not reached'
    """
    if missing(low) and missing(high):
        return ""
    if missing(low) or missing(high):
        return f"{format_value(low, kind)} to {format_value(high, kind)}"
    first, last = format_value(low, kind), format_value(high, kind)
    unit = NO_BREAK_SPACE + last.partition(NO_BREAK_SPACE)[2] if NO_BREAK_SPACE in last else ""
    return f"{first.removesuffix(unit) if unit else first}–{last}"


def format_estimate(estimate, low, high, kind: str = "percent", few: bool = False) -> str:
    """An estimate with its limits in brackets, as a sentence has it; without limits it says so; a dagger marks `few`.

    Example
    -------
    >>> format_estimate(0.3814, 0.364, 0.398).replace(NO_BREAK_SPACE, " ")
    '38.1 % (36.4–39.8 %)'
    """
    text = format_value(estimate, kind) + (f"{NO_BREAK_SPACE}{FEW}" if few and not missing(estimate) else "")
    if missing(estimate) and kind != "months":
        return text
    return f"{text} ({format_interval(low, high, kind) or 'no limits available'})"


def plural(count, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 patient", "2,300 patients", "1–7 patients" where the count was withheld."""
    noun = one if not missing(count) and round(count) == 1 else many or f"{one}s"
    return f"{format_count(count)}{NO_BREAK_SPACE}{noun}"


def listed(items) -> str:
    """Items as English lists them: "a", "a and b", "a, b and c"."""
    items = [str(item) for item in items]
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _one_line(text) -> str:
    """The text without line breaks and doubled blanks; blanks that hold a number and its unit together stay."""
    return re.sub(r"[ \t\r\n\f\v]+", " ", str(text)).strip(" ")


def escape_html(text) -> str:
    """Text from data, safe inside HTML: a regimen named `<script>` stays text. Missing text is empty."""
    return "" if not isinstance(text, str) and missing(text) else html.escape(_one_line(text))


def escape_markdown(text) -> str:
    """Text from data, safe inside Markdown: a backslash before each character that Markdown, HTML or mathematics reads.

    No entities: a page shows HTML within Markdown as text, and would show them too.

    Example
    -------
    >>> print(escape_markdown("*VRd* <b>"))
    \\*VRd\\* \\<b\\>
    """
    if not isinstance(text, str) and missing(text):
        return ""
    return re.sub(r"[\\`*_{}\[\]<>#+!|~$&@]|:(?=//)", r"\\\g<0>", " ".join(str(text).split()))


def format_p(p) -> str:
    """A p value with three decimals, or that it is smaller than they can say.

    Example
    -------
    >>> format_p(0.0421), format_p(1e-9), format_p(None)
    ('0.042', '<0.001', 'not known')
    """
    return "<0.001" if not missing(p) and p < 0.001 else format_number(p, 3)


def format_ratio(estimate, low=None, high=None) -> str:
    """A ratio with two decimals and its limits: "1.50 (1.16–1.95)".

    Example
    -------
    >>> format_ratio(1.5, 1.16, 1.95), format_ratio(1.78), format_ratio(None)
    ('1.50 (1.16–1.95)', '1.78', 'not known')
    """
    text = format_number(estimate, 2)
    if missing(estimate) or missing(low) or missing(high):
        return text
    return f"{text} ({format_number(low, 2)}–{format_number(high, 2)})"


def format_points(estimate, low, high) -> str:
    """A difference of shares in percentage points with its limits.

    Example
    -------
    >>> format_points(0.118, -0.02, 0.25)
    '+11.8 (-2.0 to +25.0)'
    """
    if missing(estimate):
        return NOT_KNOWN
    point, low, high = (f"{round(100 * value, 1) + 0.0:+.1f}" for value in (estimate, low, high))
    return f"{point} ({low} to {high})"
