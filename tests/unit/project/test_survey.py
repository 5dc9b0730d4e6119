"""What is found in a data set."""

from __future__ import annotations

import json
from pathlib import Path

from florence2.config import DatasetConfig, ModelConfig
from florence2.project.survey import survey
from tests.builders import write_image


def test_a_box_outside_its_image_is_repaired(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "train"
    write_image(folder / "a.png", (100, 100))
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [50, 50, 60, 20], "area": 1, "iscrowd": 0}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [box],
    }
    for split in ("train", "valid", "test"):
        write_image(tmp_path / "data" / split / "a.png", (100, 100))
        (tmp_path / "data" / split / "_annotations.coco.json").write_text(json.dumps(content))
    found = survey(DatasetConfig(source=str(tmp_path / "data")), ModelConfig(base="builtin:nano"))
    assert {defect.code: defect.outcome for defect in found.defects}["box-outside"] == "repair"
