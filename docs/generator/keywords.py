"""``florence2/config/keywords.py``: the keywords of ``Configuration`` for type checkers, from its fields."""

from __future__ import annotations

import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from florence2.config import Configuration, Effect, EvaluationConfig, leaf_paths

__all__ = ["annotation_source", "keywords_module"]

_HEAD = '''# fmt: off
"""The keywords of ``Configuration`` for type checkers and editors: every setting by its name, with its type.

Made by ``python -m docs.generator`` from the fields of the sections; do not edit it by hand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

{imports}

__all__ = ["AnswerKeywords", "Keywords"]

SectionMapping: TypeAlias = Mapping[str, Any]
"""A section as a mapping: its keys are checked when the configuration is made."""


class AnswerKeywords(TypedDict, total=False):
    """How an answer is generated: the section ``evaluation`` without what concerns scores and reports."""

    {answers}


class Keywords(AnswerKeywords, total=False):
    """Everything that ``Configuration`` takes: sections by their name, and each setting without its section."""

    {others}
'''

_WIDER = {
    "metrics": "Sequence[str | MetricLike | type[MetricLike]]",
    "rules": "Mapping[str, Outcome] | Sequence[str]",
    "task": "Mapping[str, TaskConfig | Mapping[str, Any] | str] | Sequence[str]",
}
"""Settings that accept more than their field keeps: validators of the sections convert it."""

_OF_SECTIONS = [
    ("florence2.config.sections", "MetricLike"),
    ("florence2.config.sections", "Outcome"),
    ("florence2.config.tasks", "TaskConfig"),
]
"""Modules and names of the types in these."""


def keywords_module() -> str:
    """Return the source of the module."""
    types_of = {
        name: _WIDER.get(name) or annotation_source(_annotation(path)) for name, path in leaf_paths(Configuration)
    }
    sections = {name: field.annotation for name, field in Configuration.model_fields.items()}
    types_of |= {name: _section_source(name, section) for name, section in sections.items()}
    answers = EvaluationConfig.model_fields.keys() - EvaluationConfig.with_effect(Effect.REPORT) - {"metrics"}
    imported = [*((section.__module__, section.__name__) for section in sections.values() if section), *_OF_SECTIONS]
    return _HEAD.format(
        imports="\n".join(f"from {module} import {name}" for module, name in sorted(imported)),
        answers="\n    ".join(f"{name}: {source}" for name, source in types_of.items() if name in answers),
        others="\n    ".join(f"{name}: {source}" for name, source in types_of.items() if name not in answers),
    )


def annotation_source(annotation: Any) -> str:
    """Return how the type that a setting accepts is written in Python.

    Args:
        annotation: of the field; a tuple is accepted as any sequence, a dict as any mapping.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotation_source(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(json.dumps(value) for value in arguments)}]"
    if origin in (Union, types.UnionType):
        return " | ".join(map(annotation_source, arguments))
    if origin is tuple:
        return f"Sequence[{annotation_source(arguments[0])}]"
    if origin is dict:
        return f"Mapping[{', '.join(map(annotation_source, arguments))}]"
    return "None" if annotation is type(None) else str(annotation.__name__)


def _annotation(path: tuple[str, ...]) -> Any:
    """Return the annotation of the field at a path."""
    model: Any = Configuration
    for name in path[:-1]:
        model = model.model_fields[name].annotation
    return model.model_fields[path[-1]].annotation


def _section_source(name: str, section: Any) -> str:
    """Return what a section is given as: itself, a mapping, or its first setting alone where that is a text."""
    first = next(annotation_source(_annotation(path)) for _, path in leaf_paths(Configuration) if path[0] == name)
    alone = " | str | os.PathLike[str]" if first == "str" or first.startswith("Literal") else ""
    return f"{section.__name__} | SectionMapping{alone}"
