"""Class names of an image folder: in its card or ``dataset_infos.json``; files that hold none, or mean harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.datasets.formats.imagefolder_names import read_class_names


def test_names_of_dataset_infos(tmp_path: Path) -> None:
    label = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    infos = {"default": {"features": {"objects": {"feature": {"category": label}, "_type": "Sequence"}}}}
    (tmp_path / "dataset_infos.json").write_text(json.dumps(infos))
    assert read_class_names(tmp_path) == ["cat", "dog"]


@pytest.mark.parametrize(
    "text",
    [
        "# A set\n",
        "---\nlicense: mit\n---\n",
        "---\n: : [\n---\n",
        "---\ndataset_info: {class_label: {names: {'0': cat, '2': dog}}}\n---\n",
        "---\na: &a [x, x]\nb: &b [*a, *a, *a, *a, *a]\n"
        + "".join(f"c{i}: &c{i} [{', '.join(['*b' if not i else f'*c{i - 1}'] * 30)}]\n" for i in range(9))
        + "dataset_info: *c8\n---\n",
    ],
    ids=["no front matter", "no info", "no YAML", "a gap in the numbers", "aliases of aliases"],
)
def test_a_card_without_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    assert read_class_names(tmp_path) == []
