"""Data sets of other tools: the error names the tool and what to export instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from florence2.datasets.formats.foreign import foreign_file, foreign_tool
from florence2.datasets.formats.recognition import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

FILES = {
    "meta.json": ('{"classes": [{"title": "cat", "shape": "rectangle"}], "tags": []}', "Supervisely"),
    "ds0/ann/a.png.json": ('{"size": {}, "objects": [{"classTitle": "cat"}]}', "Supervisely"),
    "via_region_data.json": ('{"a.png1": {"filename": "a.png", "regions": [{"shape_attributes": {}}]}}', "VGG Image"),
    "via_project.json": ('{"_via_settings": {}, "_via_img_metadata": {}}', "VGG Image"),
    "annotations/train.json": ('{"info": {}, "categories": {"label": {"labels": []}}, "items": []}', "Datumaro"),
    "train/_annotations.createml.json": ("[]", "CreateML"),
    "labels.json": ('[{"image": "a.png", "annotations": [{"label": "cat", "coordinates": {"x": 1}}]}]', "CreateML"),
    "train/_classes.csv": ("filename, cat\na.png, 1\n", "Roboflow's classification"),
    "export.ndjson": ('{"data_row": {"id": "x"}}\n', "Labelbox"),
    "a.json": ('{"version": "2.0", "schema_ref": "https://darwin-public.example/x.json"}', "V7 Darwin"),
    "bdd.json": ('[{"name": "a.png", "labels": [{"box2d": {"x1": 1}}]}]', "Scalabel"),
    "output.manifest": ('{"source-ref": "s3://x/a.png"}\n', "SageMaker"),
    "data.jsonl": ('{"imageGcsUri": "gs://x/a.png"}\n', "Vertex AI"),
    "train.csv": ("ImageID,Source,LabelName,Confidence\n", "Open Images"),
    "training/label_2/000001.txt": (
        "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n",
        "KITTI",
    ),
    "train.tfrecord": ("", "TFRecord"),
    "data/train-00000-of-00001.parquet": ("", "Parquet"),
}


@pytest.mark.parametrize("file", FILES)
def test_the_error_names_the_tool_and_the_export(tmp_path: Path, file: str) -> None:
    content, tool = FILES[file]
    write_image(tmp_path / "images/a.png")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    with pytest.raises(DatasetError, match=rf"{re.escape(file)} is of {tool}.*, which is not read; \w+"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match=rf" is of {tool}.*, which is not read; \w+"):
        read_dataset(tmp_path / file)


def test_masks_alone_have_no_boxes(tmp_path: Path) -> None:
    write_image(tmp_path / "JPEGImages/a.jpg")
    write_image(tmp_path / "SegmentationClass/a.png")
    with pytest.raises(
        DatasetError, match=r"SegmentationClass/a\.png is of Pascal VOC's segmentation.*masks have no boxes"
    ):
        read_dataset(tmp_path)


def test_what_is_not_known_has_no_tool(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"author": "me"}')
    assert (foreign_tool(tmp_path), foreign_file(tmp_path / "notes.json")) == ("", "")
