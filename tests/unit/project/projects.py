"""Data sets for projects, and the settings that are chosen for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from florence2.config import DatasetConfig, ModelConfig, TasksConfig
from florence2.project import Project
from florence2.project.choices import choices
from florence2.project.survey import survey
from tests.builders import annotation, write_dataset, write_image

CAPTION = "<CAPTION>"


def samples(count: int, prefix: str = "<OD>", suffix: str | None = None) -> list[dict[str, str]]:
    made = [annotation(f"{number}.png", prefix) for number in range(count)]
    return made if suffix is None else [{**sample, "suffix": suffix} for sample in made]


def settings(project: Project, name: str = "florence.yaml") -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project.folder / name).read_text())
    assert list(content) == ["parameters"]
    parameters: dict[str, Any] = content["parameters"]
    return parameters


def chosen(data: Path, base: str = "builtin:nano") -> dict[str, Any]:
    config = DatasetConfig(source=str(data))
    found = survey(config, ModelConfig(base=base))
    return {choice.path: choice.value for choice in choices(found, config, TasksConfig(), "m", None)}


def dataset_of(folder: Path, sizes: Mapping[str, int], prefixes: Sequence[str] = ("<OD>",)) -> Path:
    """Write many samples of few images; the choices depend on the number of samples."""
    answers = {"<OD>": annotation()["suffix"]}
    lines = {
        split: [
            {"image": "a.png", "prefix": prefix if prefix in answers or prefix == CAPTION else f"{prefix}what {n}?",
             "suffix": answers.get(prefix, f"a word {n}")}
            for n in range(size)
            for prefix in prefixes
        ]
        for split, size in sizes.items()
    }  # fmt: skip
    data = write_dataset(folder / "data", lines)
    for split, color in zip(sizes, ((200, 0, 0), (0, 200, 0), (0, 0, 200)), strict=False):
        write_image(data / split / "a.png", color=color)
    return data
