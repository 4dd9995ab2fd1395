"""A fitted model in a folder, and back: card.json, model.skops and, where there are limits, limits.npz.

Nothing is unpickled. model.skops is read by skops, which builds only types that are named in advance; those here are
classes of scikit-learn, scikit-survival and numpy. card.json holds the SHA-256 of the other files: it shows that they
belong together and are whole, not who wrote them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.prediction.coarsening import without_patients
from analysis.schema import FAULTS, BadInputError

FORMAT = 1
PACKAGES = ("scikit-learn", "scikit-survival", "numpy", "skops")
# A stored object is what the code of its own version makes of it: another minor version may compute something else.
_SAME_MINOR = ("scikit-learn", "scikit-survival")
TRUSTED = (
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sksurv.ensemble.boosting.GradientBoostingSurvivalAnalysis",
    "sksurv.ensemble.forest.ExtraSurvivalTrees",
    "sksurv.ensemble.forest.RandomSurvivalForest",
    "sksurv.ensemble.survival_loss.CoxPH",
    "sksurv.functions.StepFunction",
    "sksurv.linear_model.coxnet.CoxnetSurvivalAnalysis",
    "sksurv.linear_model.coxph.BreslowEstimator",
    "sksurv.linear_model.coxph.CoxPHSurvivalAnalysis",
    "sksurv.tree.tree.ExtraSurvivalTree",
    "sksurv.tree.tree.SurvivalTree",
)
_AGAIN = "take the model again from where it came, or store it again"


def save(
    folder: Path,
    models: Mapping[str, Any],
    card: Mapping[str, Any],
    uncertain: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """Store a fitted model with its card. Returns the folder; a model that stood there before is replaced whole.

    Of a cohort of real people only Cox models are stored, and their baseline hazard in steps of at least eight times
    of events, rounded up to weeks: a forest keeps the times of its patients in its leaves, few to a leaf, and a daily
    baseline keeps the day of each event.

    Parameters
    ----------
    folder : where to; new, empty, or with a model in it
    models : what `fitted` returned
    card : what `cards.card` returned
    uncertain : what `uncertainty` returned, for limits

    Raises
    ------
    FileExistsError
        when the folder holds something else.
    ValueError
        for trees, or levels of few patients, of a real cohort; or an object that is no model of ours.
    """
    import skops.io

    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()) and not (folder / "card.json").is_file():
        raise FileExistsError(f"{folder} exists and holds no model; name a new folder, or empty this one first")
    models = dict(models) if card["cohort"]["synthetic"] else without_patients(models, card)
    files = {"model.skops": skops.io.dumps(models)}
    if strangers := sorted(set(skops.io.get_untrusted_types(data=files["model.skops"])) - set(TRUSTED)):
        raise ValueError(f"storage.save: expected what `fitted` returned, came types {', '.join(strangers)} in it")
    if uncertain is not None:
        arrays = io.BytesIO()
        np.savez_compressed(arrays, **uncertain)
        files["limits.npz"] = arrays.getvalue()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    about = {**card, "format": FORMAT, "packages": _versions(), "files": sums}
    files["card.json"] = (json.dumps(about, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()
    _write_whole(folder, files)
    return folder


def _write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """The files beside the folder first, then the folder in one move."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            (aside / "new").mkdir(exist_ok=True)
            (aside / "new" / name).write_bytes(content)
        if folder.exists():
            folder.replace(aside / "old")
        (aside / "new").replace(folder)
    except BaseException:
        if (aside / "old").exists() and not folder.exists():
            (aside / "old").replace(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray] | None]:
    """A stored model: the Pipelines, the card, and what limits are made of (None where there are none).

    Raises
    ------
    analysis.schema.BadInputError
        naming every reason not to read it: a file that is absent, broken or not the one that its card was written for,
        a format or a package version that is not this one, an object of a type that is not on the list `TRUSTED`.
    """
    folder = Path(folder)
    card, faults = _read_card(folder)
    if not faults:
        faults = _version_faults(card) + _file_faults(folder, card)
    _raise(faults)
    models, faults = _read_models(folder / "model.skops")
    uncertain = None
    if "limits.npz" in card["files"]:
        uncertain, more = _read_limits(folder / "limits.npz")
        faults += more
    _raise(faults)
    return models, card, uncertain


def _read_card(folder: Path) -> tuple[dict[str, Any], list[dict]]:
    file = folder / "card.json"
    if not file.is_file():
        return {}, [
            _fault(str(folder), "a folder with card.json and model.skops, as storage.save writes it", "name it")
        ]
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}, [_fault("card.json", "JSON, came something else", _AGAIN)]
    parts = ("format", "files", "packages", "cohort", "predictors", "cause", "horizons_months", "model")
    lacking = [name for name in parts if not isinstance(card, dict) or name not in card]
    if lacking:
        return {}, [_fault("card.json", f"the parts {', '.join(lacking)}", _AGAIN)]
    if card["format"] != FORMAT:
        expected = f"format {FORMAT}, came {card['format']!r}"
        return {}, [_fault("card.json", expected, "use the release of the suite that wrote it, or store it again")]
    files = card["files"]
    if not isinstance(files, dict) or "model.skops" not in files or set(files) - {"model.skops", "limits.npz"}:
        return {}, [_fault("card.json", "the checksums of model.skops and perhaps limits.npz", _AGAIN)]
    return card, []


def _version_faults(card: Mapping[str, Any]) -> list[dict]:
    here = _versions()
    return [
        _fault(
            "card.json",
            f"{name} {_minor(here[name])} as installed here, came a model of {name} {card['packages'].get(name)}",
            f"install {name} {card['packages'].get(name)}, or fit and store the model again",
        )
        for name in _SAME_MINOR
        if _minor(str(card["packages"].get(name))) != _minor(here[name])
    ]


def _file_faults(folder: Path, card: Mapping[str, Any]) -> list[dict]:
    faults = []
    for name, expected in card["files"].items():
        if not (folder / name).is_file():
            faults.append(_fault(name, "this file, which the card names", _AGAIN))
        elif (came := hashlib.sha256((folder / name).read_bytes()).hexdigest()) != expected:
            what = f"the file that the card was written for (SHA-256 {str(expected)[:12]}...), came {came[:12]}..."
            faults.append(_fault(name, what, f"it was changed or cut short: {_AGAIN}"))
    return faults


def _read_models(file: Path) -> tuple[dict[str, Any], list[dict]]:
    import skops.io
    from sklearn.pipeline import Pipeline

    try:
        strangers = sorted(set(skops.io.get_untrusted_types(file=file)) - set(TRUSTED))
        if strangers:
            expected = f"types of scikit-learn, scikit-survival and numpy, came {', '.join(strangers)}"
            return {}, [_fault(file.name, expected, "nothing of it was run; do not use it, and ask who made it")]
        models = skops.io.load(file, trusted=list(TRUSTED))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError, OSError) as error:
        return {}, [_fault(file.name, f"a model as skops writes it, came {type(error).__name__}", _AGAIN)]
    if not isinstance(models, dict) or not models or not all(isinstance(one, Pipeline) for one in models.values()):
        return {}, [_fault(file.name, "a dict of scikit-learn Pipelines", _AGAIN)]
    return models, []


def _read_limits(file: Path) -> tuple[dict[str, np.ndarray] | None, list[dict]]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays), []
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        return None, [_fault(file.name, f"plain arrays, came {type(error).__name__}", _AGAIN)]


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _fault(file: str, expected: str, mend: str) -> dict:
    return {
        "severity": "error",
        "file": file,
        "line": pd.NA,
        "column": "",
        "value": "",
        "expected": expected,
        "mend": mend,
    }


def _raise(faults: list[dict]) -> None:
    if faults:
        raise BadInputError(pd.DataFrame(faults, columns=FAULTS.names).astype({"line": "Int64"}))
