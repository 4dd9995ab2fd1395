"""What things are called on the pages: events by their endpoint, strata, estimands, variables.

Where a source has no record of progression, the end of a line is the start of the next one. It is then called
so everywhere, and the word for a disease that has come back is never used for it: asking for it is an error.
"""

from __future__ import annotations

import re

from analysis import schema

ENDPOINTS = ("relapse", "next_line")
EVENTS = ("relapse", "next_line", "death")

_NOUNS = {
    "relapse": {
        "relapse": "relapse",
        "next_line": "start of the next line without a recorded relapse",
        "death": "death without a recorded relapse",
        "censored": "still under observation, no event yet",
        "neither": "neither so far",
        "any": "relapse, next line or death",
    },
    "next_line": {
        "next_line": "start of the next line",
        "death": "death before a next line",
        "censored": "still under observation, no event yet",
        "neither": "neither so far",
        "any": "start of the next line or death",
    },
}
_SHORT = {
    "relapse": {"relapse": "relapse", "next_line": "next line first", "death": "death"},
    "next_line": {"next_line": "next line", "death": "death"},
}
_DONE = {
    "relapse": {
        "relapse": "had relapsed",
        "next_line": "had started the next line without a recorded relapse",
        "death": "had died without a recorded relapse",
        "any": "had relapsed, started the next line or died",
    },
    "next_line": {
        "next_line": "had started the next line",
        "death": "had died before a next line",
        "any": "had started the next line or died",
    },
}


_OPPOSITE = re.compile(r"surviv|\balive\b|\bfree\b", re.IGNORECASE)


def _known_endpoint(endpoint: str) -> str:
    if endpoint not in ENDPOINTS:
        raise ValueError(
            f"endpoint: expected one of {list(ENDPOINTS)}, came {endpoint!r}; take it from COHORT.endpoint"
        )
    return endpoint


def _look_up(names: dict, event: str, endpoint: str) -> str:
    known = names[_known_endpoint(endpoint)]
    if event not in known:
        reason = " (this source records no relapse; its lines end with the next line)" if event == "relapse" else ""
        raise ValueError(f"event: expected one of {list(known)} with endpoint {endpoint!r}, came {event!r}{reason}")
    return known[event]


def event_name(event: str, endpoint: str) -> str:
    """The name of an event word under an endpoint.

    Parameters
    ----------
    event : str
        "relapse", "next_line", "death", "censored", "neither" or "any".
    endpoint : str
        "relapse" where progression was observed, otherwise "next_line".

    Raises
    ------
    ValueError
        when the endpoint is "next_line" and a relapse is asked for: such a source cannot show one.

    Example
    -------
    >>> event_name("next_line", "next_line"), event_name("relapse", "relapse")
    ('start of the next line', 'relapse')
    """
    return _look_up(_NOUNS, event, endpoint)


def event_short(event: str, endpoint: str) -> str:
    """The name of an event in the little room a legend or a table head has."""
    return _look_up(_SHORT, event, endpoint) if event in EVENTS else event


def event_done(event: str, endpoint: str) -> str:
    """The event as the end of a sentence about patients: "had relapsed", "had started the next line"."""
    return _look_up(_DONE, event, endpoint)


def of_event(label: str) -> str:
    """The label of a caption, refused where it names the opposite of an event.

    Captions say "share without ...", "incidence of ...", "median time to ...": of "survival" each would be wrong.

    Raises
    ------
    ValueError
        when the label speaks of survival or of being free of something.

    Example
    -------
    >>> of_event("death from any cause")
    'death from any cause'
    """
    if _OPPOSITE.search(label):
        raise ValueError(
            f"label: expected what happens, such as 'death from any cause', came {label!r}, which is its absence; "
            "take it from labels.event_name"
        )
    return label


def endpoint_of(events) -> str:
    """The endpoint that a frame's event words tell of: "relapse" as soon as one relapse is among them."""
    return "relapse" if "relapse" in set(events) else "next_line"


def rivals(event: str, endpoint: str) -> str:
    """What comes first in place of the event, and so is censored where one event alone is counted."""
    return "deaths" if (event, endpoint) == ("next_line", "next_line") else "other events that come first"


def taken_as_censored(events, endpoint: str | None = None) -> str:
    """The rivals of the one event word of a frame; without an endpoint the word itself tells which it is."""
    words = list(dict.fromkeys(events))
    return rivals(words[0] if len(words) == 1 else "any", endpoint or endpoint_of(words))


def stratum_name(stratum: str, every: str = "all patients") -> str:
    """The label of a stratum on a figure: "all" becomes "all patients"."""
    return every if stratum == "all" else str(stratum)


def stratum_place(stratum: str) -> str:
    """A stratum as the place of a sentence: "in line 1", "in all patients", "in the group II"."""
    if stratum == "all":
        return "in all patients"
    return f"in {stratum}" if re.match(r"line \d+", str(stratum)) else f"in the group {stratum}"


def sentence(text: str) -> str:
    """The text with a capital letter at its start."""
    return text[:1].upper() + text[1:]


def in_word_order(variable: str, levels: list[str]) -> list[str]:
    """The levels of a variable in the order in which the schema states its words; others after them, as they came.

    Example
    -------
    >>> in_word_order("smoking", ["current", "former", "never", "missing"])
    ['never', 'former', 'current', 'missing']
    """
    words = list(_WORDS.get(variable, ()))
    return sorted(levels, key=lambda level: words.index(level) if level in words else len(words))


def variable_name(name: str) -> str:
    """A column's name as words, its unit taken out: "beta2_microglobulin_mg_l" becomes "beta-2 microglobulin"."""
    return _VARIABLES.get(name, str(name).replace("_", " "))


def known_name(word: str) -> str:
    """The word, or its name on the pages where it is a column that has one."""
    return _VARIABLES.get(word, word)


_WORDS = {
    column.name: column.words
    for table in (schema.PATIENTS, schema.LINES, schema.TREATMENTS, schema.SPELLS)
    for column in table.columns
    if column.words
}
_VARIABLES = {
    "activity": "physical activity",
    "age_years": "age",
    "albumin_g_dl": "albumin",
    "beta2_microglobulin_mg_l": "beta-2 microglobulin",
    "bmi_kg_m2": "body mass index",
    "creatinine_mg_dl": "creatinine",
    "del17p": "del(17p)",
    "diet": "diet quality",
    "distress": "anxiety or depression above its cut-off",
    "egfr_ml_min": "estimated GFR",
    "era": "years of treatment",
    "gain_1q": "gain of 1q",
    "index_year": "year of day 0",
    "iss": "ISS stage",
    "ldh_high": "LDH above normal",
    "t4_14": "t(4;14)",
    "t14_16": "t(14;16)",
}
