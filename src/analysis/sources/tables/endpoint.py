"""What ends a line of your own tables, where cohort.csv does not say: what is there decides, and the check says so."""

from __future__ import annotations

import pandas as pd

from analysis import vocabulary
from analysis.sources.parsing import fault

Frames = dict[str, pd.DataFrame]

# Fewer stated progressions than in one patient of ten are strays, and no record of what ended the lines.
STATE_PROGRESSION = 0.1
# Relapse is judged from markers where at least half of the patients have them on two days or more.
ARE_FOLLOWED = 0.5


def chosen_endpoint(frames: Frames) -> str:
    """The endpoint that the tables bear: "relapse" where enough of it is stated, or can be judged from markers.

    Ready spells say so by the word. Otherwise enough is: a progression stated in a tenth of the patients that have
    treatments or lines, or - without ready lines - markers on two days or more in half of them.
    """
    spells = frames.get("spells")
    if spells is not None and (spells["event"] == "relapse").any():
        return "relapse"
    patients, progressed, followed = _counts(frames)
    enough = progressed and progressed >= STATE_PROGRESSION * patients
    return "relapse" if enough or (followed and followed >= ARE_FOLLOWED * patients) else "next_line"


def endpoint_warnings(frames: Frames, files: dict[str, str]) -> list[pd.DataFrame]:
    """What a reader should know of the endpoint: one that nothing shows, and one that was chosen from little."""
    said = frames.get("cohort", pd.DataFrame()).get("endpoint", pd.Series(dtype=object)).dropna()
    patients, progressed, followed = _counts(frames)
    some = f"{progressed:,} of {patients:,} patients have a progression, {followed:,} have markers on two days or more"
    if len(said):
        if said.iloc[0] != "relapse" or _shows_relapse(frames):
            return []
        expected = "at least one progression in the tables"
        mend = "give progressions, or set the endpoint to next_line"
        if followed:
            mend = f"none is stated, so relapse is judged from marker values ({some}); {mend} for another"
        return [fault(files["cohort"], expected, mend, "endpoint", severity="warning")]
    chosen = chosen_endpoint(frames)
    enough_stated = progressed >= STATE_PROGRESSION * patients
    if (chosen == "relapse" and enough_stated) or not (progressed or followed):
        return []
    why = "judged from marker values" if chosen == "relapse" else "too few for relapse"
    mend = f"{chosen} is chosen: {some} ({why}); state the endpoint in cohort.csv to choose yourself"
    return [fault(files.get("cohort", "cohort.csv"), "the endpoint", mend, "endpoint", severity="warning")]


def _counts(frames: Frames) -> tuple[int, int, int]:
    """Patients with treatments or lines; of them those with a stated progression, and those with markers enough."""
    lines, treatments, findings = (frames.get(name) for name in ("lines", "treatments", "findings"))
    given = lines if lines is not None else treatments
    if given is None:
        return 0, 0, 0
    patients = set(given["patient_id"].dropna())
    progressed = set()
    if lines is not None:
        progressed = set(lines.loc[lines["progression_day"].notna(), "patient_id"])
    elif findings is not None:
        progressed = set(findings.loc[findings["finding"] == "progression", "patient_id"])
    followed = 0
    if lines is None and "labs" in frames:
        labs = frames["labs"]
        followed = vocabulary.patients_followed(labs[labs["patient_id"].isin(patients)])
    return len(patients), len(progressed & patients), followed


def _shows_relapse(frames: Frames) -> bool:
    """Does any table of the cohort hold an observed relapse?"""
    spells = frames.get("spells")
    return bool(_counts(frames)[1]) or (spells is not None and bool((spells["event"] == "relapse").any()))
