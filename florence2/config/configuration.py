"""The tree of all sections: built from nested or flat settings, with an error that lists every wrong setting."""

from __future__ import annotations

import difflib
import os
import reprlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError

from florence2.config.base import BaseConfig
from florence2.config.promotion import PromotionConfig
from florence2.config.search import SearchConfig
from florence2.config.sections import (
    DatasetConfig,
    EvaluationConfig,
    ImagesConfig,
    ModelConfig,
    RegistrationConfig,
    SplitConfig,
    ValidationConfig,
)
from florence2.config.synonyms import rename_earlier_sections, translate_synonyms
from florence2.config.tasks import TasksConfig
from florence2.config.training import TrainingConfig
from florence2.errors import ConfigurationError

if TYPE_CHECKING:  # made from this module
    from florence2.config.keywords import Keywords

__all__ = [
    "BaseConfiguration",
    "Configuration",
    "PredictionConfiguration",
    "PromotionConfiguration",
    "TuningConfiguration",
    "leaf_paths",
    "shortened",
]

_SHORT = reprlib.Repr()  # with aliases, a file of a kilobyte can hold a value of many gigabytes
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


class BaseConfiguration(BaseConfig):
    """Base of the whole configurations: a setting may be given without its section.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid; the message lists all of them.
    """

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**_nest(type(self), values))
        except ValidationError as exc:
            raise ConfigurationError(_explain(type(self), exc)) from exc


class PredictionConfiguration(BaseConfiguration):
    """The configuration of predictions for a folder of images."""

    images: ImagesConfig
    model: ModelConfig = Field(default_factory=ModelConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)  # overrides the signature that type checkers derive from the sections


class Configuration(BaseConfiguration):
    """The configuration of a fine-tune from data set to registered model.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid; the message lists all of them.
    """

    dataset: DatasetConfig = Field(default_factory=DatasetConfig)
    tasks: TasksConfig = Field(default_factory=TasksConfig)
    validation: ValidationConfig = Field(default_factory=ValidationConfig)
    split: SplitConfig = Field(default_factory=SplitConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    registration: RegistrationConfig = Field(default_factory=RegistrationConfig)

    def __init__(self, /, **values: Unpack[Keywords]) -> None:
        super().__init__(**values)


class PromotionConfiguration(Configuration):
    """The configuration of a promotion: that of the fine-tune, which names the data, and the policy.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid; the message lists all of them.
    """

    promotion: PromotionConfig = Field(default_factory=PromotionConfig)

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)  # overrides the signature that type checkers derive from the sections


class TuningConfiguration(Configuration):
    """The configuration of a search: that of the fine-tune whose settings vary, and how long the search takes.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid; the message lists all of them.
    """

    search: SearchConfig = Field(default_factory=SearchConfig)

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)  # overrides the signature that type checkers derive from the sections


def _nest(tree: type[BaseConfiguration], values: Mapping[str, Any]) -> dict[str, Any]:
    """Move settings into their sections: ``epochs`` into training, ``dataset="D"`` to the first key of dataset."""
    paths = dict(leaf_paths(tree))
    values = rename_earlier_sections(values)
    nested = {key: _as_mapping(tree, key, value) for key, value in values.items() if key in tree.model_fields}
    flat = translate_synonyms({key: value for key, value in values.items() if key not in tree.model_fields})
    for key, value in flat.items():
        *sections, leaf = paths.get(key, (key,))
        target = nested
        for section in sections:
            inner = target.get(section, {})
            if isinstance(inner, BaseModel):
                inner = inner.model_dump(exclude_unset=True)
            if not isinstance(inner, Mapping):
                break  # no section: the validation reports it
            # A copy, so that the caller's mapping is not changed.
            target[section] = dict(inner)
            target = target[section]
        else:
            target[leaf] = value
    return nested


def _as_mapping(tree: type[BaseConfiguration], section: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, str | os.PathLike):
        first_key = next(leaf for leaf, path in leaf_paths(tree) if path[0] == section)
        return {first_key: os.fspath(value)}
    return value


def leaf_paths(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of every setting in a tree of sections, which is unique there, and its path."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from leaf_paths(annotation, (*above, name))
        else:
            yield name, (*above, name)


def _explain(tree: type[BaseConfiguration], error: ValidationError) -> str:
    """Return a line for each problem of a configuration; for an unknown key it names the nearest known one."""
    lines = []
    for problem in _one_a_value(error):
        path = [str(part) for part in problem["loc"]]
        where = ".".join(path) or "configuration"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(tree, path[:-1])
            # At the top, keys of the sections are known as well; they are too many to list.
            near = difflib.get_close_matches(path[-1], known if path[:-1] else [*known, *dict(leaf_paths(tree))], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            lines.append(f"{where}: unknown key; {hint}")
        elif problem["type"] == "value_error" and isinstance(problem["input"], Mapping):
            lines.append(f"{where}: {problem['ctx']['error']}")  # it names the settings that conflict
        else:
            lines.append(f"{where}: {problem['msg']}, not {shortened(problem['input'])}")
    return "invalid configuration:\n  " + "\n  ".join(lines)


def _one_a_value(error: ValidationError) -> list[dict[str, Any]]:
    """Return the problems; those of a value with several types, one for each of them, become one."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for problem in error.errors():
        # The name of such a type is the last part of the path.
        several = str(problem["loc"][-1]).startswith(("constrained-", "literal[")) if problem["loc"] else False
        loc = problem["loc"][:-1] if several else problem["loc"]
        if several and loc in found:
            found[loc]["msg"] += f" or {problem['msg'].removeprefix('Input should be ')}"
        else:
            found[loc if several else (loc, len(found))] = {**problem, "loc": loc}
    return list(found.values())


def shortened(value: Any) -> str:
    """Return the ``repr`` of a value, its middle left out where it is long."""
    return _SHORT.repr(value)


def _known_keys(tree: type[BaseConfiguration], path: list[str]) -> list[str]:
    model: type[BaseModel] = tree
    for name in path:
        if name not in model.model_fields:
            continue  # the token of a task, whose settings are known
        annotation: Any = model.model_fields[name].annotation
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
