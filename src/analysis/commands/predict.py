"""`relapse predict`: the risks of the patients in a file by a stored model, or why it has nothing to say of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import schema
from analysis.commands import rows
from analysis.estimate.prediction import cards, ranges, storage, uncertainty
from analysis.report.progress import complain, say

_EVENTS = {"relapse": "relapse", "next_line": "start of the next line"}
_NO_LIMITS = "no limits: this kind of model has none that are honest"


def predict(model: Path, patients: Path, out: Path | None) -> bool:
    """Say the risk of each patient-line of a CSV file; True when the model could say it of all of them.

    Who lies outside the range of the training data is refused with the reason, the others are still answered. With
    `out` the risks go into that file (CSV, whole or not at all), else to the terminal.

    Raises
    ------
    analysis.schema.BadInputError
        when the model cannot be trusted as it lies there, or the file cannot be read as it is: all faults at once.
    """
    models, card, uncertain = storage.load(model)
    frame = rows.read(patients, card)
    reasons = ranges.outside(card, frame)
    answered = [place for place, reason in enumerate(reasons) if not reason]
    risks = _risks(models, card, uncertain, frame, reasons)
    for sentence in standing(card):
        say(sentence)
    say(_question(card, uncertain is not None))
    if out is not None:
        _write(risks.assign(standing=" ".join(standing(card))), out)
        say(f"written: {out}")
    else:
        for sentence in _sentences(risks):
            say(sentence)
    say(f"{len(answered)} of {len(frame)} patient-line(s) answered")
    if len(answered) < len(frame):
        complain(f"{len(frame) - len(answered)} patient-line(s) refused: outside the range of the training data")
    return len(answered) == len(frame)


def standing(card: Mapping[str, Any]) -> list[str]:
    """What is said first, whatever is asked: whether the patients were real, and that this is no advice."""
    return [*([cards.SYNTHETIC] if card["cohort"]["synthetic"] else []), cards.NOT_ADVICE]


def _risks(
    models: Mapping[str, Any],
    card: Mapping[str, Any],
    uncertain: Mapping[str, Any] | None,
    frame: pd.DataFrame,
    reasons: list[str],
) -> pd.DataFrame:
    """PATIENT_RISKS, in the order of the file; no estimate, and the reason as note, for those refused."""
    inside = [place for place, reason in enumerate(reasons) if not reason]
    months = card["horizons_months"]
    found = uncertainty.risk_with_limits(models, uncertain, frame.iloc[inside], months)
    found["row"] = [inside[place] for place in found["row"]]
    every = pd.MultiIndex.from_product([range(len(frame)), months], names=["row", "horizon_months"])
    result = found.set_index(["row", "horizon_months"]).reindex(every).reset_index()
    keys = frame[["patient_id", "line"]].iloc[result["row"]].reset_index(drop=True)
    note = [reasons[row] or ("" if uncertain is not None else _NO_LIMITS) for row in result["row"]]
    result = keys.assign(**{name: result[name] for name in result if name != "row"}, note=note)
    return schema.check(result[schema.PATIENT_RISKS.names], schema.PATIENT_RISKS)


def _question(card: Mapping[str, Any], with_limits: bool) -> str:
    limits = (
        "with 95 % limits of the average risk of patients recorded alike, not of what may happen to one"
        if with_limits
        else _NO_LIMITS
    )
    event = _EVENTS.get(card["cause"], card["cause"])
    others = " and ".join(_EVENTS.get(word, word) for word in card["competing"])
    against = f", {others} competing" if others else ""
    return f"Risk of {event} from the start of the line{against}; model {card['model']}; {limits}"


def _sentences(risks: pd.DataFrame) -> list[str]:
    """One line per patient and line: every horizon, or the reason."""
    sentences = []
    for (patient, line), mine in risks.groupby(["patient_id", "line"], sort=False):
        reason = mine["note"].iloc[0] if mine["estimate"].isna().all() else ""
        said = f"refused: {reason}" if reason else "; ".join(_said(one) for one in mine.itertuples())
        sentences.append(f"{patient}, line {line}: {said}")
    return sentences


def _said(one: Any) -> str:
    limits = "" if pd.isna(one.conf_low) else f" ({one.conf_low:.0%} to {one.conf_high:.0%})"
    return f"within {one.horizon_months:g} months {one.estimate:.0%}{limits}"


def _write(frame: pd.DataFrame, out: Path) -> None:
    """The file beside its place first, then moved there."""
    handle, aside = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            frame.to_csv(file, index=False)
        Path(aside).chmod(0o644)
        Path(aside).replace(out)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
