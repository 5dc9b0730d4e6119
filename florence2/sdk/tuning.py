"""``tune``: from settings to better ones, by trials on the user's data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.config import Configuration, Effect, SearchConfig, TuningConfiguration
from florence2.sdk.preparation import Prepared, check_output, prepare
from florence2.sdk.progress import shown_progress
from florence2.storage import TuningFiles, redact, write_atomic

if TYPE_CHECKING:
    from florence2.tuning import EndedTrial, Outcome, TrialData

__all__ = ["TuningResult", "tune"]


@dataclass(frozen=True)
class TuningResult:
    """The result of a search.

    Attributes:
        folder: of the search.
        recipe: YAML file with the settings that won, for ``training.recipe``.
        page: HTML page with all trials.
        outcome: the trials, the winner, and what may be chance in it.
    """

    folder: Path
    recipe: Path
    page: Path
    outcome: Outcome

    @property
    def is_better(self) -> bool:
        """Return whether a trial is better than the default beyond chance."""
        return self.outcome.is_better

    @property
    def sentence(self) -> str:
        """Return the result in a sentence."""
        return self.outcome.sentence

    @property
    def trials(self) -> Sequence[EndedTrial]:
        """Return all trials, by number; the first one is the default."""
        return self.outcome.trials


def tune(
    configuration: Configuration | Mapping[str, Any] | None = None,
    output: Path | str = "tuning",
    *,
    minutes: float | None = None,
    trials: int | None = None,
) -> TuningResult:
    """Search for settings of the training that are better than those of the recipe.

    The first trial is the default: the recipe as it stands. The others vary the settings that were not given, as Optuna
    proposes; those that fall behind end early. They are compared on the validation split; the test split is not used.
    A search that was killed continues from its folder by the same call.

    Args:
        configuration: the settings, or a mapping with their keys; None: the built-in base on the built-in data. A
            ``TuningConfiguration`` also has the section ``search``.
        output: folder of the search; that of an ended one gives its result again.
        minutes: time for the trials, from which their number and length follow; None: as ``search.minutes``, else 10.
        trials: number of trials; None: as ``search.trials``, else as many as the time allows.

    Raises:
        ConfigurationError: a setting is unknown or invalid, the time is too short, or the folder is of another search.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: the base cannot be loaded.
        TrainingError: no trial could be trained.
        KeyboardInterrupt: Ctrl-C; the search can be continued.

    Example:
        >>> import florence2
        >>> result = florence2.tune({"dataset": "my/cards"}, minutes=10)  # doctest: +SKIP
        >>> result.sentence  # doctest: +SKIP
        'trial 7 (learning_rate 0.00151, batch_size 4) is better than the default beyond chance: ...'
        >>> florence2.train({"dataset": "my/cards", "recipe": str(result.recipe)})  # doctest: +SKIP
    """
    from florence2.tuning import check_space

    given = _settings(configuration, minutes, trials)
    folder = Path(output)
    with shown_progress():
        check_output(folder)
        check_space(given.search.space, given.training)
        prepared = prepare(given)
        return _search(given, prepared, folder)


def _settings(
    configuration: Configuration | Mapping[str, Any] | None, minutes: float | None, trials: int | None
) -> TuningConfiguration:
    """Return the settings with the time and the number of trials that were given by themselves."""
    if isinstance(configuration, Configuration):
        configuration = configuration.model_dump(exclude_unset=True)
    limits = {name: value for name, value in (("minutes", minutes), ("trials", trials)) if value is not None}
    return TuningConfiguration(**{**(configuration or {}), **limits})


def _search(given: TuningConfiguration, prepared: Prepared, folder: Path) -> TuningResult:
    from florence2.reports import render_tuning
    from florence2.tuning import TrialData, as_recipe, conclude, plan_search, recipe_yaml, search, settings_by_name

    config, names = prepared.config, settings_by_name(given.training, only_given=True)
    splits = prepared.splits.select("train", "valid")
    data = TrialData(splits, config.model, config.evaluation)
    plan, ended = search(
        folder,
        _identity(data, config, given.search, names),
        data,
        lambda scratch: plan_search(given.search, data, config.training, names, scratch),
    )
    outcome = conclude(plan, ended)
    recipe = as_recipe(outcome, data, _command(given))
    write_atomic(folder / TuningFiles.RECIPE, recipe_yaml(recipe))
    write_atomic(folder / TuningFiles.PAGE, render_tuning(outcome))
    return TuningResult(folder, folder / TuningFiles.RECIPE, folder / TuningFiles.PAGE, outcome)


def _identity(data: TrialData, config: Configuration, search: SearchConfig, given: Mapping[str, Any]) -> dict[str, str]:
    """Return everything that a search depends on, by name."""
    from florence2.model import base_fingerprint
    from florence2.training import run_identity

    evaluation = data.evaluation.without(Effect.EXECUTION)
    return {
        **run_identity(data.splits, base_fingerprint(data.model), config.training),
        **{name: str(value) for name, value in evaluation.leaves("evaluation").items()},
        **{name: str(value) for name, value in search.leaves("search").items()},
        "given": ", ".join(sorted(given)),
    }


def _command(given: TuningConfiguration) -> str:
    """Return the command of a search, for the recipe that it makes."""
    limits = [
        f"--{name}={value:g}"
        for name, value in (("minutes", given.search.minutes), ("trials", given.search.trials))
        if value is not None
    ]
    return shlex.join(["florence2", "tune", redact(given.dataset.source), *limits])
