"""The International Staging System (ISS) from serum beta-2 microglobulin and albumin."""

from __future__ import annotations

import numpy as np
import pandas as pd


def iss(beta2_microglobulin_mg_l: pd.Series, albumin_g_dl: pd.Series) -> pd.Series:
    """Which ISS stage follows from serum beta-2 microglobulin (mg/L) and albumin (g/dL)?

    Returns a Series of words "I", "II", "III", "unknown" on the index of `beta2_microglobulin_mg_l`.

    Stage III: beta-2 microglobulin >= 5.5 mg/L. Stage I: beta-2 microglobulin < 3.5 mg/L and albumin >= 3.5 g/dL.
    Stage II: neither. A part that is missing makes the stage unknown only where it could change it: III and the upper
    road to II (3.5 <= beta-2 microglobulin < 5.5) need no albumin, while a low albumin alone leaves II and III open.

    Source: Greipp et al., J Clin Oncol 2005;23:3412. R: no standard call; nested `ifelse` with NA propagation.

    Raises
    ------
    ValueError
        when the two series do not stand on the same index.

    Example
    -------
    >>> iss(pd.Series([6.0, 4.0, 2.0, 2.0]), pd.Series([None, None, 4.1, None])).tolist()
    ['III', 'II', 'I', 'unknown']
    """
    if not beta2_microglobulin_mg_l.index.equals(albumin_g_dl.index):
        raise ValueError(
            f"iss: expected both series on the same index, came {len(beta2_microglobulin_mg_l)} and "
            f"{len(albumin_g_dl)} rows on different indexes; take both from the same frame"
        )
    beta2 = pd.to_numeric(beta2_microglobulin_mg_l).to_numpy(float, na_value=np.nan)
    albumin = pd.to_numeric(albumin_g_dl).to_numpy(float, na_value=np.nan)
    # A comparison with NaN is false, so each line below asks for what is known, and the rest falls to "unknown".
    rules = {
        "III": beta2 >= 5.5,
        "I": (beta2 < 3.5) & (albumin >= 3.5),
        "II": ((beta2 >= 3.5) & (beta2 < 5.5)) | ((beta2 < 3.5) & (albumin < 3.5)),
    }
    stage = np.select(list(rules.values()), list(rules), default="unknown")
    return pd.Series(stage.astype(object), index=beta2_microglobulin_mg_l.index, name="iss")


def with_iss(patients: pd.DataFrame) -> pd.DataFrame:
    """Which ISS stage has each patient, stated by the source or else computed from its parts?

    Returns PATIENTS with column `iss` filled; a stage that the source states is kept as it is. The argument is not
    changed.

    Example
    -------
    >>> frame = pd.DataFrame({"iss": ["I", "unknown"], "beta2_microglobulin_mg_l": [9.0, 9.0]})
    >>> with_iss(frame)["iss"].tolist()
    ['I', 'III']
    """
    nothing = pd.Series(np.nan, index=patients.index)
    computed = iss(patients.get("beta2_microglobulin_mg_l", nothing), patients.get("albumin_g_dl", nothing))
    stated = patients.get("iss", pd.Series("unknown", index=patients.index)).fillna("unknown")
    return patients.assign(iss=stated.astype(object).where(stated != "unknown", computed))
