"""Class names of a Hugging Face image folder, whose metadata have numbers: in its card or ``dataset_infos.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from florence2.datasets.formats.files import has_file, read_text

__all__ = ["read_class_names"]

_CARD = "README.md"
_INFOS = "dataset_infos.json"
_LARGEST_FILE = 4 << 20
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MOST_VALUES = 100_000  # YAML aliases can stand for more values than fit into memory


def read_class_names(root: Path) -> list[str]:
    """Return the names of the classes by number; none if the data set does not name them.

    They stand in the card, ``README.md``, under ``dataset_info`` as ``class_label: {names: ...}``, or in
    ``dataset_infos.json`` as a feature of the type ``ClassLabel``.

    Args:
        root: folder of the data set.

    Raises:
        AnnotationFileError: one of the files cannot be read.
    """
    for file, parse in ((_CARD, _card), (_INFOS, _infos)):
        if has_file(root, file):
            try:
                values = parse(read_text(root, file, _LARGEST_FILE))
            except (ValueError, RecursionError, yaml.YAMLError):
                continue  # a card is prose that anybody may edit; without names the numbers are used
            for names in _class_names(values):
                return names
    return []


def _card(text: str) -> Any:
    front = _FRONT.match(text)
    values = yaml.load(front[1], Loader=yaml.BaseLoader) if front else None
    return values.get("dataset_info") if isinstance(values, dict) else None


def _infos(text: str) -> Any:
    return json.loads(text)


def _class_names(top: Any) -> Iterator[list[str]]:
    """Yield the names of each class label, those of nested features, as objects have them, first."""
    found: list[tuple[int, list[str]]] = []
    waiting, seen = [(0, top)], 0
    while waiting and seen < _MOST_VALUES:
        depth, value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            label = value.get("class_label", value if value.get("_type") == "ClassLabel" else None)
            if isinstance(label, dict) and (names := _in_order(label.get("names"))):
                found.append((depth, names))
            waiting += [(depth + 1, each) for each in value.values()]
        elif isinstance(value, list):
            waiting += [(depth + 1, each) for each in value]
    yield from (names for _, names in sorted(found, key=lambda each: -each[0]))


def _in_order(names: Any) -> list[str]:
    if isinstance(names, dict):  # of a card: '0': cat
        numbered = {int(key): name for key, name in names.items() if isinstance(key, str) and key.isdecimal()}
        names = [numbered.get(number) for number in range(len(names))]
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
