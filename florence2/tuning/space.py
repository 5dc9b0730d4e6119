"""The space of a search: which settings vary, and how a point of it becomes the settings of a training."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from florence2.codec import AnswerKind
from florence2.config import (
    NOT_BY_RECIPE,
    Dimension,
    Range,
    SettingValue,
    TrainingConfig,
    leaf_paths,
    merged,
)
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError
from florence2.recipes import kind_of

__all__ = ["apply", "check_space", "default_params", "default_space", "settings_by_name"]

_RATE = "learning_rate"
_FIXED = frozenset({"best_by", "max_target_tokens", "patience"})
"""Settings that say how trials are compared or which samples are allowed, not how a model is trained."""

_AROUND_DEFAULT = Range(low=0.25, high=4.0, log=True, of_default=True)
_OF_BOXES: Mapping[str, tuple[SettingValue, ...]] = {
    "box_order": ("given", "left_to_right"),
    "location_smoothing": (0.0, 2.0),
}
_OF_IMAGES: Mapping[str, Mapping[str, tuple[SettingValue, ...]]] = {
    "photographs": {"crop": (0.0, 0.15, 0.3), "light": (0.0, 0.15, 0.3), "flip": (0.0, 0.5)},
    "drawings": {"crop": (0.0, 0.15, 0.3)},
    "questions": {"light": (0.0, 0.2)},
    "captions": {"light": (0.0, 0.2)},
}
"""Random changes of the training images that suit a kind of data; those of documents would hide letters."""


def settings_by_name(training: TrainingConfig, *, only_given: bool = False) -> dict[str, Any]:
    """Return the value of every setting by its own name, without that of its section.

    Args:
        training: the settings.
        only_given: leave out those that were not set.
    """
    dumped = training.model_dump(mode="json", exclude_unset=only_given)
    return dict(_found(dumped))


def _found(dumped: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, path in leaf_paths(TrainingConfig):
        value: Any = dumped
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                break
            value = value[key]
        else:
            yield name, value


def default_space(
    train: DatasetManifest,
    default: TrainingConfig,
    given: Collection[str] = (),
    *,
    score: str,
    is_small: bool,
    processes: int = 1,
) -> dict[str, Dimension]:
    """Return the settings that are worth varying for a data set and a base.

    Args:
        train: the training split.
        default: the settings without a search; a list of choices always has their value.
        given: names of the settings that the user gave: they stay.
        score: by which trials are compared. Losses are comparable only where all trials learn the same answers.
        is_small: whether every weight of the base may train on this machine.
        processes: that train together; a batch is divided evenly among them.
    """
    choices: dict[str, tuple[SettingValue, ...]] = {}
    if is_small:
        choices["strategy"] = ("lora", "full")
    size = default.batch_size
    others = [each for each in (size // 2, size * 2) if 1 < each <= len(train) and each % processes == 0]
    choices["batch_size"] = tuple(sorted([size, *others]))
    if score != "loss" and any(train.tasks[task].answer is AnswerKind.BOXES for task in train.table["task"].unique()):
        choices |= _OF_BOXES
    choices |= _OF_IMAGES.get(kind_of(train), {})
    values = settings_by_name(default)
    space: dict[str, Dimension] = {_RATE: _AROUND_DEFAULT}
    for name, of_name in choices.items():
        space[name] = of_name if values[name] in of_name else (values[name], *of_name)
    return {
        name: dimension
        for name, dimension in space.items()
        if name not in given and (isinstance(dimension, Range) or len(dimension) > 1)
    }


def check_space(space: Mapping[str, Dimension] | None, default: TrainingConfig) -> None:
    """Raise for a space of the user's own that is not one.

    Args:
        space: the dimensions; None where they are chosen.
        default: the settings that do not vary.

    Raises:
        ConfigurationError: a setting is unknown or cannot vary, or has a value that is not allowed.
    """
    known = [name for name, path in leaf_paths(TrainingConfig) if path[0] not in NOT_BY_RECIPE | _FIXED]
    if space is None:
        return
    if not space:
        raise ConfigurationError(f"search.space: names no setting; known: {', '.join(known)}")
    for name, dimension in space.items():
        if name not in known:
            raise ConfigurationError(f"search.space.{name}: cannot vary; known: {', '.join(known)}")
        if isinstance(dimension, Range) and dimension.of_default:
            if name != _RATE:
                raise ConfigurationError(f"search.space.{name}: of_default is for {_RATE} only")
            continue
        values = (dimension.low, dimension.high) if isinstance(dimension, Range) else dimension
        if not values:
            raise ConfigurationError(f"search.space.{name}: has no choices; give a list with at least one")
        for value in values:
            try:
                _with(default, {name: value})
            except ValidationError as exc:
                problem = exc.errors()[0]["msg"]
                raise ConfigurationError(f"search.space.{name}: {problem}, not {value!r}") from exc


def default_params(space: Mapping[str, Dimension], default: TrainingConfig) -> dict[str, SettingValue]:
    """Return the point of a space that stands for the default settings; empty where it does not hold them."""
    values = settings_by_name(default)
    params: dict[str, SettingValue] = {}
    for name, dimension in space.items():
        value = 1.0 if isinstance(dimension, Range) and dimension.of_default else values[name]
        is_held = dimension.low <= value <= dimension.high if isinstance(dimension, Range) else value in dimension
        if not is_held:
            return {}
        params[name] = value
    return params


def apply(
    params: Mapping[str, SettingValue],
    space: Mapping[str, Dimension],
    default: TrainingConfig,
    rates: Mapping[str, float],
) -> TrainingConfig:
    """Return the settings of a point of a space.

    Args:
        params: the value of each dimension.
        space: the dimensions.
        default: the settings that do not vary.
        rates: the default learning rate of each strategy; where only the strategy varies, its own rate is taken.
    """
    chosen = dict(params)
    strategy = str(chosen.get("strategy", default.strategy))
    rate, dimension = chosen.get(_RATE), space.get(_RATE)
    if isinstance(dimension, Range) and dimension.of_default and isinstance(rate, float):
        chosen[_RATE] = rates[strategy] if rate == 1 else float(f"{rate * rates[strategy]:.3g}")
    elif rate is None and strategy != default.strategy:
        chosen[_RATE] = rates[strategy]
    return _with(default, chosen)


def _with(training: TrainingConfig, values: Mapping[str, SettingValue]) -> TrainingConfig:
    """Return settings in which some, by their own names, have other values."""
    paths = dict(leaf_paths(TrainingConfig))
    changed: dict[str, Any] = {}
    for name, value in values.items():
        nested: Any = value
        for key in reversed(paths[name]):
            nested = {key: nested}
        changed = merged(changed, nested)
    return TrainingConfig.model_validate(merged(training.model_dump(), changed))
