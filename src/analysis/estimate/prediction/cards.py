"""The card of a model: what it answers, from whom it was made, how good it is, and for whom it must not be used.

Items as TRIPOD+AI asks for them (Collins et al., BMJ 2024;385:e078378). Everything is made from frames.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED
from analysis.estimate.prediction.fitting import Plan
from analysis.estimate.prediction.ranges import FEWEST_PATIENTS, described, training_range
from analysis.estimate.prediction.training import names, trained_on
from analysis.schema import MODEL_CARD, check

NOT_ADVICE = (
    "This is research software, not a medical device and not medical advice: it says how often the event came in "
    "patients recorded alike, not what will happen to one, nor what to do."
)
SYNTHETIC = (
    "SYNTHETIC: this model was fitted to simulated patients; its risks are about nobody and not to be used for anybody."
)
_MEASURES = ("model", "measure", "horizon_months", "estimate", "conf_low", "conf_high", "against", "verdict")


def card(
    models: Mapping[str, Any],
    frame: pd.DataFrame,
    about: Mapping[str, Any],
    model: str,
    plan: Plan,
    scores: pd.DataFrame | None = None,
    calibration: pd.DataFrame | None = None,
    subgroups: pd.DataFrame | None = None,
    notes: str = "",
) -> dict[str, Any]:
    """What must be known of a fitted model before it is used? A dict of plain values, ready for JSON.

    Of a real cohort no end of a range is one patient's value (`ranges.training_range`) and counts up to seven are
    withheld.

    Parameters
    ----------
    models, frame, model, plan : what `fitted` returned, and what it was given
    about : the row of COHORT as a dict
    scores, calibration, subgroups : SCORES, CALIBRATION_CURVE and SUBGROUP_SCORES of honest evaluation, as they may be
        shown (`disclosure.shared`); the rows of this model are taken
    notes : what must be said of the fit

    Example
    -------
    >>> from analysis.estimate.prediction import Plan, fitted
    >>> chance = np.random.default_rng(1)
    >>> word = chance.choice(["relapse", "death", "censored"], 300)
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "event": word,
    ...     "time": chance.exponential(500, 300).round() + 1, "iss": chance.choice(["I", "III"], 300)})
    >>> plan = Plan(["iss"], horizons_months=[12])
    >>> about = {"name": "x", "title": "X", "synthetic": True, "time_zero": "start", "source": "simulated"}
    >>> made = card(fitted(frame, "cox", plan), frame, about, "cox", plan)
    >>> made["predictors"][0]["levels"], made["cohort"]["patients"]
    (['I', 'III'], 300)
    """
    lines = trained_on(models, frame, plan)
    synthetic = bool(about["synthetic"])
    used = frame.set_index(["patient_id", "line"], drop=False).loc[
        pd.MultiIndex.from_frame(lines.keys[["patient_id", "line"]])
    ]
    events = lines.keys["event"].value_counts()
    counts = {"lines": len(lines.keys), "patients": lines.keys["patient_id"].nunique()}
    return {
        "model": model,
        "cause": plan.cause,
        "horizons_months": [float(month) for month in plan.horizons_months],
        "competing": sorted(str(word) for word in events.index if word not in (plan.cause, CENSORED)),
        "cohort": {
            **{name: _plain(about.get(name)) for name in ("name", "title", "source", "citation", "licence", "release")},
            "time_zero": about["time_zero"],
            "synthetic": synthetic,
            **{name: _shown(value, synthetic) for name, value in counts.items()},
            "ended_by": {str(word): _shown(value, synthetic) for word, value in sorted(events.items())},
            "years": _years(used),
        },
        "predictors": [
            training_range(name, lines.predictors[name], used[name], lines.keys["patient_id"].to_numpy(), synthetic)
            for name in names(models)
        ],
        "fit": {
            "steps": [f"{name}: {type(one[-1]).__name__}" for name, one in models.items()],
            "settings": {name: _settings(one[-1]) for name, one in models.items()},
            "notes": "; ".join([*lines.notes, *([notes] if notes else [])]),
            "seed": int(plan.seed),
        },
        "scores": _records(scores, model, [*_MEASURES]),
        "subgroups": _records(subgroups, model, ["variable", "level", *_MEASURES]),
        "calibration": _records(
            calibration, model, ["horizon_months", "group", "predicted", "estimate", "conf_low", "conf_high"]
        ),
        "suite": importlib.metadata.version("myeloma-relapse"),
    }


def _plain(value: Any) -> Any:
    return None if value is None or (not isinstance(value, str) and pd.isna(value)) else value


def _shown(count: int, synthetic: bool) -> int | None:
    return int(count) if synthetic or count == 0 or count >= FEWEST_PATIENTS else None


def _years(used: pd.DataFrame) -> list[int] | None:
    if "index_year" not in used or used["index_year"].isna().all():
        return None
    return [int(used["index_year"].min()), int(used["index_year"].max())]


def table(card: Mapping[str, Any]) -> pd.DataFrame:
    """The card in plain words for a page. Returns MODEL_CARD: section, item, text.

    The sections: question, patients, predictors, model, performance (calibration, subgroups), use.
    """
    cohort, fit = card["cohort"], card["fit"]
    months = _listed(f"{month:g}" for month in card["horizons_months"])
    years = f"; years of day 0: {cohort['years'][0]} to {cohort['years'][1]}" if cohort["years"] else ""
    ended = _listed(f"{word} {_count(number)}" for word, number in cohort["ended_by"].items())
    rows = [
        ("Question", "risk of", f"{_event(card['cause'])} within {months} months of the start of a line of treatment"),
        ("Question", "competing events", _listed(map(_event, card["competing"])) or "none was seen"),
        ("Question", "known when", "on the day the line began; nothing that came later"),
        ("Patients", "cohort", f"{cohort['title']}{' (SYNTHETIC)' if cohort['synthetic'] else ''}; {cohort['source']}"),
        ("Patients", "day 0", f"{cohort['time_zero']}{years}"),
        ("Patients", "size", f"{_count(cohort['lines'])} lines of {_count(cohort['patients'])} patients"),
        ("Patients", "how lines ended", ended),
        *(("Predictors", one["name"], described(one)) for one in card["predictors"]),
        ("Model", "model", f"{card['model']}; {'; '.join(fit['steps'])}"),
        ("Model", "missing values", _MISSING),
        ("Model", "settings", _set(fit["settings"])),
        ("Model", "notes on the fit", fit["notes"] or "none"),
        ("Model", "random numbers", f"seed {fit['seed']}"),
        *_performance(card),
        ("Use", "meant for", "research on how well such an event can be foreseen, and for teaching"),
        (
            "Use",
            "not for",
            "deciding on the treatment of a patient, or on who gets care; not tried outside this cohort",
        ),
        ("Use", "limits", _LIMITS),
        ("Use", "standing", f"{SYNTHETIC} {NOT_ADVICE}" if cohort["synthetic"] else NOT_ADVICE),
        ("Use", "licence of the data", cohort["licence"] or "not stated"),
        ("Use", "versions", _set({"": {"myeloma-relapse": card["suite"], **card.get("packages", {})}})),
    ]
    return check(pd.DataFrame(rows, columns=MODEL_CARD.names), MODEL_CARD)


_MISSING = (
    "numbers: the median of training and a flag that it was missing; words: a level of their own; learned from the "
    "training patients alone"
)
_LIMITS = (
    "a patient is refused when one value lies outside the range of training; a combination of values that nobody had "
    "is not noticed. The limits of a risk are those of the average over patients recorded alike; they hold neither the "
    "bias of shrinking nor that of patients from elsewhere"
)


def _performance(card: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if not card["scores"]:
        return [("Performance", "measures", "not evaluated: do not trust these risks")]
    rows = [("Performance", _named(one), _limited(one)) for one in card["scores"]]
    rows += [
        (
            "Calibration",
            f"group {one['group']} at {one['horizon_months']:g} months",
            f"foreseen {one['predicted']:.3f}, came {_limited(one)}",
        )
        for one in card["calibration"]
        if one.get("predicted") is not None
    ]
    return rows + [
        ("Subgroups", f"{one['variable']} {one['level']}: {_named(one)}", _limited(one)) for one in card["subgroups"]
    ]


def _named(row: Mapping[str, Any]) -> str:
    at = f" at {row['horizon_months']:g} months" if row.get("horizon_months") is not None else ""
    return f"{row['measure']}{at}"


def _limited(row: Mapping[str, Any]) -> str:
    if row.get("estimate") is None:
        return "not estimable"
    low, high = row.get("conf_low"), row.get("conf_high")
    limits = "no limits" if low is None or high is None else f"{low:.3f} to {high:.3f}"
    verdict = f"; {row['verdict']} than {row['against']}" if row.get("verdict") else ""
    return f"{row['estimate']:.3f} ({limits}){verdict}"


def _event(word: str) -> str:
    return {"next_line": "start of the next line"}.get(word, word)


def _count(number: int | None) -> str:
    return f"fewer than {FEWEST_PATIENTS}" if number is None else f"{number:,}"


def _listed(words: Iterable[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _set(settings: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [
        f"{part}: {', '.join(f'{k} {v}' for k, v in own.items())}".removeprefix(": ") for part, own in settings.items()
    ]
    return "; ".join(parts)


def _settings(estimator: Any) -> dict[str, Any]:
    kept = {
        name: value for name, value in estimator.get_params(deep=False).items() if name not in ("n_jobs", "verbose")
    }
    return {
        name: value if isinstance(value, (int, float, str, bool, list)) else str(value) for name, value in kept.items()
    }


def _records(frame: pd.DataFrame | None, model: str, names: list[str]) -> list[dict[str, Any]]:
    """The rows of this model, as plain values; a missing number is None."""
    if frame is None:
        return []
    mine = frame.loc[frame["model"] == model, [name for name in names if name in frame and name != "model"]]
    return [
        {
            name: None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value
            for name, value in row.items()
        }
        for row in mine.to_dict("records")
    ]
