"""A small valid data set of each format, in each of its layouts, for ``benchmarks.fuzz_readers`` to damage."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

__all__ = ["SETS", "write_set"]

_XML = """<annotation>
  <filename>a.png</filename>
  <size><width>4</width><height>2</height></size>
  <object><name>cat</name><bndbox><xmin>0</xmin><ymin>0.5</ymin><xmax>4</xmax><ymax>2</ymax></bndbox></object>
</annotation>
"""
_COCO = """{"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 2}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [0, 0.5, 3, 1], "iscrowd": 0},
{"id": 2, "image_id": 1, "category_id": 2, "segmentation": [[0, 0, 1, 0, 1, 1.5]]}],
"categories": [{"id": 2, "name": "cat", "supercategory": "none"}]}
"""
_JSONL = """{"image": "a.png", "prefix": "<OD>", "suffix": "cat<loc_1><loc_2><loc_3><loc_4>"}
{"image": "a.png", "prefix": "<VQA>how many?", "suffix": "two"}
"""
_LABELME = """{"version": "5.4.1", "flags": {}, "shapes": [
{"label": "cat", "points": [[0, 0.5], [4, 2]], "shape_type": "rectangle", "group_id": null, "flags": {}},
{"label": "dog", "points": [[0, 0], [1, 0], [1, 1.5]], "shape_type": "polygon"},
{"label": "dog", "points": [[2, 1], [2.5, 1]], "shape_type": "circle"}],
"imagePath": "..\\\\images\\\\a.png", "imageData": null, "imageHeight": 2, "imageWidth": 4}
"""
_CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<image id="0" name="a.png" subset="Train" width="4" height="2">
<box label="cat" occluded="0" xtl="0.00" ytl="0.50" xbr="4.00" ybr="2.00" rotation="30" z_order="0"></box>
<polygon label="dog" points="0.00,0.00;1.00,0.00;1.00,1.50"/><tag label="x"/>
<ellipse label="cat" cx="2" cy="1" rx="1" ry="0.5"/><mask label="cat" rle="1, 1" left="0" top="0" width="2" height="1"/>
</image></annotations>
"""
_LABEL_STUDIO = """[{"id": 1, "annotations": [{"id": 1, "was_cancelled": false, "result": [
{"type": "rectanglelabels", "id": "x", "from_name": "l", "original_width": 4, "original_height": 2, "image_rotation": 0,
"value": {"x": 0, "y": 25.0, "width": 100, "height": 75, "rotation": 10, "rectanglelabels": ["cat"]}},
{"type": "polygonlabels", "value": {"points": [[0, 0], [50, 0], [50, 75.5]], "polygonlabels": ["dog"]}},
{"type": "ellipselabels", "value": {"x": 50, "y": 50, "radiusX": 9, "radiusY": 9, "ellipselabels": ["dog"]}},
{"type": "choices", "from_name": "c", "value": {"choices": ["yes"]}}]}],
"data": {"image": "/data/upload/1/0a1b2c3d-a.png", "question": "is it?"}},
{"id": 2, "image": "s3://b/a.png", "annotation_id": 3,
"box": [{"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["cat"], "original_width": 4}]}
]
"""
_CSV = 'filename,width,height,class,xmin,ymin,xmax,ymax\na.png,4,2,cat,0,0.5,4,2\n"a.png",4,2,dog,1,1,2,2\n'
_METADATA = """{"file_name": "a.png", "objects": {"bbox": [[0, 0.5, 3, 1]], "categories": [0]}}
{"file_name": "a.png", "objects": [{"bbox": [0, 0, 1, 1], "category": "cat"}], "text": "a cat"}
{"file_name": "a.png", "question": "how many?", "answers": ["two", "two", "3"]}
"""
_CARD = """---
dataset_info:
  features:
  - name: objects
    sequence:
    - name: categories
      dtype: {class_label: {names: {'0': cat, '1': dog}}}
---
"""
SETS: dict[str, dict[str, str]] = {
    "jsonl": {"train/annotations.jsonl": _JSONL, "_annotations.valid.jsonl": _JSONL},
    "coco": {"train/_annotations.coco.json": _COCO},
    "voc": {"Annotations/a.xml": _XML, "ImageSets/Main/train.txt": "a\n", "ImageSets/Main/val.txt": "a.png\nb\n"},
    "yolo": {
        "data.yaml": "path: ../set\nnames:\n  0: cat\n  1: dog\nnc: 2\ntrain: ../train/images\nval: list.txt\n",
        "list.txt": "./train/images/a.png\n/x/train/images/b.png\n",
        "train/labels/a.txt": "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.5 0.8\n",
    },
    "labelme": {"labels/a.json": _LABELME},
    "cvat": {"annotations.xml": _CVAT},
    "label-studio": {"tasks.json": _LABEL_STUDIO},
    "tf-csv": {"train/_annotations.csv": _CSV},
    "imagefolder": {"train/metadata.jsonl": _METADATA, "README.md": _CARD},
    "coco, result.json": {"result.json": _COCO.replace("a.png", "C:\\\\images\\\\a.png")},
    "yolo, classes.txt": {
        "classes.txt": "cat\ndog\n",
        "labels/a.txt": "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.5 0.8\n",
    },
    "easy-vqa": {"train/questions.json": '[["what?", "circle", 1],\n["is it?", "no", 2]]\n'},
    "sroie": {
        "key/a.json": '{"company": "A & B",\n "total": "9.00"}\n',
        "box/a.csv": "0,0,4,0,4,2,0,2,TAMAN, DAYA\n1,1,2,1,2,2,1,2,9.00\n",
    },
}
"""A small valid set by the name of its format, and after a comma by its layout if the format has several."""

_IMAGES = {
    "jsonl": "train/a.png",
    "coco": "train/a.png",
    "voc": "JPEGImages/a.png",
    "yolo": "train/images/a.png",
    "labelme": "images/a.png",
    "cvat": "images/Train/a.png",
    "label-studio": "images/a.png",
    "tf-csv": "train/a.png",
    "imagefolder": "train/a.png",
    "coco, result.json": "images/a.png",
    "yolo, classes.txt": "images/a.png",
    "easy-vqa": "train/images/1.png",
    "sroie": "img/a.png",
}


def write_set(root: Path, name: str) -> None:
    """Write a set with its image.

    Args:
        root: folder of the set; created.
        name: a key of ``SETS``.
    """
    for file, content in SETS[name].items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
    image = root / _IMAGES[name]
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 2), "red").save(image)
