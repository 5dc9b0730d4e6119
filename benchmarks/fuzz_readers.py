"""Feed damaged data sets to every reader: a reader returns samples or raises the project's own error, and no other.

    python -m benchmarks.fuzz_readers --inputs 100000 --seed 0

Small valid sets of every format are damaged in one file: bytes flipped, cut, doubled or removed, replaced by numbers
and texts that have broken parsers before, or by parts of the same file. It prints how many were read
and how many refused.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import random
import re
import shutil
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from PIL import Image

from florence2.datasets.formats.format import Format
from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.formats.registry import ENTRY_POINTS, FORMATS
from florence2.errors import DatasetError

__all__ = ["FuzzResult", "fuzz", "known_formats"]

_EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"

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
_SETS: dict[str, dict[str, str]] = {
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
_NUMBERS = [
    *("0", "-1", "1", "-0", "3.5", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "nan", "inf", "1_0"),
    *("0x10", ".5", "5.", "1e9", "9007199254740993", "18446744073709551616", "true", "false", "null"),
    *("9" * 400, "9" * 5000, "1." + "1" * 500),
]
_TEXTS = [
    *(
        "",
        " ",
        "\n",
        "\r\n",
        "\0",
        "\t",
        ",",
        ":",
        "-",
        "#",
        "&",
        "*",
        "!",
        "<",
        ">",
        "]]>",
        "<!--",
        "{",
        "}",
        "[",
        "]",
    ),
    *('"', '""', "\\", "\\u0000", "\\ud800", "\\ud83d\\ude00", "\u2028", "\x85", "\ufeff", "é", "\U0001f600", "\ufffe"),
    *("../", "../../../etc/passwd", "/etc/passwd", "/dev/zero", "C:\\a\\b.png", "a" * 300, "a/" * 300, "~", "."),
    *("<OD>", "<VQA>", "<loc_5>", "<loc_-5>", "<loc_1000>", "<loc_" + "9" * 50 + ">", "</s>"),
    *("&a *a", "<<: *a", "!!python/object:os.system x", "!!binary x", "? a", "---\n", "%YAML 9\n", "'"),
    *(
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        "&b;",
        "&#0;",
        "&#10;",
        "<![CDATA[",
    ),
    *('<?xml version="1.0" encoding="utf-16"?>', '<?xml version="1.0" encoding="x"?>', "<object>", "</object>"),
]
_WORDS = re.compile(rb"[A-Za-z_]+|-?[0-9.]+")
_Damage = Callable[[random.Random, bytes], bytes]


@dataclass
class FuzzResult:
    """What became of the inputs.

    Attributes:
        read: how many were read, by format.
        refused: how many gave the project's own error, by format.
        failures: traceback and description of every other outcome.
    """

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def known_formats() -> dict[str, Format]:
    """Return the formats of the library and those of the examples in ``docs/examples``, which need no installation."""
    formats = dict(FORMATS)
    for file in sorted(_EXAMPLES.glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        sys.path.append(str(file.parent))
        for name, target in project["entry-points"].get(ENTRY_POINTS, {}).items():
            formats[name] = EntryPoint(name, target, ENTRY_POINTS).load()
    return formats


def fuzz(inputs: int, seed: int) -> FuzzResult:
    """Read damaged data sets, every format as often as the others.

    Args:
        inputs: how many.
        seed: of the damage.

    Returns:
        The counts; stops at the tenth failure.
    """
    rng = random.Random(seed)
    result, formats = FuzzResult(), known_formats()
    with tempfile.TemporaryDirectory() as folder:
        layouts = [layout for layout in _SETS if _format_of(layout) in formats]
        for number, name in zip(range(inputs), itertools.cycle(layouts), strict=False):
            root = Path(folder).resolve() / name
            if not root.exists():
                _write_set(root, name)
            file = rng.choice(list(_SETS[name]))
            content = _damaged(rng, _SETS[name][file].encode())
            (root / file).write_bytes(content)
            try:
                # Half of them must be recognised first, as a user's are.
                read_dataset(root, rng.choice(["auto", _format_of(name)]), formats=formats)
                result.read[name] += 1
            except DatasetError:
                result.refused[name] += 1
            except Exception:
                result.failures.append(f"input {number}, {name}, {file}: {content!r}\n{traceback.format_exc()}")
            (root / file).write_text(_SETS[name][file])
            if len(result.failures) == 10:
                break
    return result


def _format_of(layout: str) -> str:
    return layout.partition(",")[0]


def _write_set(root: Path, name: str) -> None:
    for file, content in _SETS[name].items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
    image = root / _IMAGES[name]
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 2), "red").save(image)


def _damaged(rng: random.Random, content: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        content = rng.choice(_DAMAGES)(rng, content)
    return content


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice([0, 1, 2, 5, 20, 100]))


def _flip(rng: random.Random, content: bytes) -> bytes:
    position = rng.randrange(len(content) + 1)
    return content[:position] + bytes([rng.randrange(256)]) + content[position + 1 :]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randint(0, len(content))]


def _remove(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + content[end:]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:end] + content[start:end] * rng.choice([1, 1, 2, 50]) + content[end:]


def _insert(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    text = rng.choice([*_TEXTS, *_NUMBERS]).encode()
    return content[:start] + text + content[rng.choice([start, end]) :]


def _replace_word(rng: random.Random, content: bytes) -> bytes:
    """Replace a whole word or number by another number or text, so that the structure stays."""
    words = list(_WORDS.finditer(content))
    if not words:
        return content
    word = rng.choice(words)
    text = rng.choice([rng.choice(_NUMBERS), rng.choice(_TEXTS), rng.choice(words)[0].decode()])
    return content[: word.start()] + text.encode() + content[word.end() :]


def _swap_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def _nest(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"- ", b""), (b"{", b"}")])
    depth = rng.choice([1, 1, 1, 3, 3, 30, 2000])
    return content[:start] + opening * depth + content[start:end] + closing * depth + content[end:]


def _recode(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(rng.choice(["utf-16", "utf-8-sig", "utf-32", "utf-7"]))


_DAMAGES: list[_Damage] = [
    _flip, _cut, _remove, _repeat, _insert, _replace_word, _replace_word, _replace_word, _swap_lines, _nest, _recode
]  # fmt: skip


def main() -> int:
    """Run from the command line; the status is 1 after any outcome but samples or the project's own error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cache = tempfile.mkdtemp()
    os.environ["XDG_CACHE_HOME"] = cache  # the user's own stays as it is
    logging.disable()  # a split that is not there any more is a warning
    start = time.monotonic()
    try:
        result = fuzz(options.inputs, options.seed)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    for name in _SETS:
        print(f"{name:>20}: {result.read[name]:>7} read, {result.refused[name]:>7} refused")
    total = f"{result.read.total()} read, {result.refused.total()} refused, {len(result.failures)} failed"
    print(f"{total}; {options.inputs} inputs, seed {options.seed}, {time.monotonic() - start:.0f} s")
    if result.failures:
        print(result.failures[0])
    return 1 if result.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
