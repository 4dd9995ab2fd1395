"""The models by name: each a scikit-learn Pipeline that ends in a scikit-survival estimator.

Nothing of ours is in a Pipeline, so it can be stored, read and refitted without this house.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

STAGE, STAGE_AND_LINE, COX, COXNET = "stage", "stage and line", "cox", "coxnet"
FOREST, EXTRA, BOOSTING = "random survival forest", "extra survival trees", "gradient boosting"
MODELS = (STAGE, STAGE_AND_LINE, COX, COXNET, FOREST, EXTRA, BOOSTING)
STAGES = (STAGE, STAGE_AND_LINE)
TREES = (FOREST, EXTRA, BOOSTING)

# What the inner folds choose from. Few, because each costs a fit per inner fold; none for gradient boosting, whose
# hundred small steps of 0.05 are far from the number that would learn the training set by heart.
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    COXNET: tuple({"alphas": [alpha]} for alpha in (0.003, 0.01, 0.03, 0.1)),
    FOREST: tuple({"min_samples_leaf": size} for size in (15, 50)),
    EXTRA: tuple({"min_samples_leaf": size} for size in (15, 50)),
}
SMALL_RIDGE = 0.1  # keeps the levels of a category and its "unknown" apart; a hundred events outweigh it by far
BOOSTING_ROWS = 1_000  # the gradient of gradient boosting costs the square of the rows


def predictors_of(model: str, predictors: list[str], stage: str) -> list[str]:
    """The columns that a model reads: the stage alone, the stage and the line number, or all."""
    return {STAGE: [stage], STAGE_AND_LINE: [stage, "line"]}.get(model, predictors)


def pipeline(
    model: str,
    predictors: pd.DataFrame,
    setting: dict[str, Any],
    ridge: float = SMALL_RIDGE,
    trees: int = 100,
    seed: int = 0,
    jobs: int = 1,
):
    """The unfitted Pipeline of a model for predictors of these kinds.

    Numbers: the median for a missing value and a column that says it was missing. Words: "unknown" for a missing one,
    a column per level, none for a level unseen in training. Constant columns are dropped and all are scaled; every
    step is learned from the training rows alone, because it is part of the Pipeline.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    words = [name for name in predictors if predictors[name].dtype == object]
    numbers = [name for name in predictors if name not in words]
    levels = Pipeline(
        [
            ("missing", SimpleImputer(strategy="constant", fill_value="unknown")),
            ("levels", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
        ]
    )
    medians = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = [("numbers", medians, numbers)] * bool(numbers) + [("words", levels, words)] * bool(words)
    return Pipeline(
        [
            ("columns", ColumnTransformer(columns)),
            ("vary", VarianceThreshold()),
            ("scale", StandardScaler()),
            ("model", _estimator(model, setting, ridge, trees, seed, jobs)),
        ]
    )


def _estimator(model: str, setting: dict[str, Any], ridge: float, trees: int, seed: int, jobs: int):
    from sksurv.ensemble import ExtraSurvivalTrees, GradientBoostingSurvivalAnalysis, RandomSurvivalForest
    from sksurv.linear_model import CoxnetSurvivalAnalysis, CoxPHSurvivalAnalysis

    if model == COX or model in STAGES:
        return CoxPHSurvivalAnalysis(alpha=ridge, ties="efron")
    if model == COXNET:
        return CoxnetSurvivalAnalysis(l1_ratio=0.5, fit_baseline_model=True, **setting)
    if model == BOOSTING:
        return GradientBoostingSurvivalAnalysis(
            n_estimators=100, learning_rate=0.05, max_depth=2, random_state=seed, **setting
        )
    # low_memory=True would leave no curves, and so no risks; the coarse times bound the memory instead.
    forest = {FOREST: RandomSurvivalForest, EXTRA: ExtraSurvivalTrees}[model]
    return forest(n_estimators=trees, random_state=seed, n_jobs=jobs, **setting)
