"""``plan_search``: from the settings without a search to the plan of one."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from florence2.config import Dimension, EvaluationConfig, ModelConfig, SearchConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.model import SMALL_PARAMETERS, load_base
from florence2.recipes import first_score
from florence2.tuning.plan import DEFAULT_MINUTES, Pace, SearchPlan, trial_length
from florence2.tuning.running import TrialData, measure_pace
from florence2.tuning.space import default_space

__all__ = ["plan_search"]

logger = logging.getLogger(__name__)

_STRATEGIES = ("lora", "full", "freeze")


def plan_search(
    search: SearchConfig, data: TrialData, training: TrainingConfig, given: Collection[str], folder: Path
) -> SearchPlan:
    """Choose what varies and how long trials are; where the time is limited, an epoch is measured.

    Args:
        search: the time, the number of trials, and the space where it is the user's own, see ``check_space``.
        data: what is trained on.
        training: the settings without a search, all of them chosen.
        given: names of the settings that the user gave: they do not vary.
        folder: for the measurement; removed at the end.

    Raises:
        ConfigurationError: the time is too short.
        ModelError: the base cannot be loaded.
    """
    rates, is_small = _rates(data.model)
    valid = data.splits.select("valid")
    is_chosen = training.best_by != "loss" or "best_by" in given
    score = training.best_by if is_chosen else _first_score(valid, data.evaluation)
    rate = training.learning_rate
    if not isinstance(rate, float):  # "auto" would search within each trial
        rate, given = rates[training.strategy], set(given) - {"learning_rate"}
    default = training.model_copy(update={"learning_rate": rate, "best_by": score, "preview": 0})
    space = search.space or _default_space(data, default, given, is_small=is_small)
    pace = _pace(search, data, default, folder)
    length = trial_length(search, training.epochs, pace)
    return SearchPlan(
        default=default.model_copy(update={"epochs": length.epochs}),
        space=space,
        rates={**rates, default.strategy: rate},
        score=score,
        higher_is_better=data.evaluator(default).higher_is_better,
        trials=search.trials,
        length=length,
        full_epochs=training.epochs,
    )


def _first_score(valid: DatasetManifest, evaluation: EvaluationConfig) -> str:
    """Return the first score of the most frequent task; the loss where the validation split has few samples of it."""
    counts = valid.table["task"].value_counts().sort_index()  # of equally frequent tasks the first by name
    return first_score(valid.replace_rows(valid.table[valid.table["task"] == counts.idxmax()]), evaluation)


def _rates(model: ModelConfig) -> tuple[dict[str, float], bool]:
    """Return the default learning rate of each strategy, and whether the base is small."""
    from florence2.training import default_learning_rate

    base = load_base(model)
    rates = {strategy: default_learning_rate(strategy, base) for strategy in _STRATEGIES}
    return rates, base.model.num_parameters() < SMALL_PARAMETERS


def _default_space(
    data: TrialData, default: TrainingConfig, given: Collection[str], *, is_small: bool
) -> dict[str, Dimension]:
    from florence2.training import process_count

    train = data.splits.select("train")
    return default_space(
        train, default, given, score=default.best_by, is_small=is_small, processes=process_count(default)
    )


def _pace(search: SearchConfig, data: TrialData, default: TrainingConfig, folder: Path) -> Pace | None:
    if search.trials is not None and search.minutes is None:
        return None
    seconds = 60 * (search.minutes or DEFAULT_MINUTES)
    logger.info("the time of an epoch is measured")
    pace = measure_pace(default, data, folder, seconds)
    logger.info("an epoch takes %.1f s", pace.seconds_per_epoch)
    return pace
