"""Data sets of other tools that are not read: a table of the files by which each is known, and what to export instead.

To add a tool: a row of ``_TOOLS``.
"""

from __future__ import annotations

import fnmatch
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from florence2.storage import open_regular

__all__ = ["foreign_file", "foreign_tool"]

_HEAD = 1 << 14
_MOST_FILES = 32
"""Files of each folder whose beginnings are read."""

_MOST_FOLDERS = 32
_DEPTH = 3


@dataclass(frozen=True)
class _Tool:
    """What one kind of file says.

    Attributes:
        name: of the tool or its export.
        files: pattern of the path of a file in lower case; a * also stands for slashes.
        content: pattern of bytes in the beginning of the file; empty: the name says enough.
        remedy: what to export instead.
    """

    name: str
    files: str
    content: bytes
    remedy: str


_BY_DATUMARO = "convert it: datum convert -f coco_instances"
_BY_ROBOFLOW = "convert it to COCO, for example in Roboflow"
_NO_BOXES = "masks have no boxes; export the objects as COCO JSON, or as Pascal VOC with Annotations/*.xml"
_VIA, _LABELBOX = "VGG Image Annotator (VIA)", "Labelbox"
_TOOLS = (
    _Tool("Supervisely", "*meta.json", rb'"classes"\s*:\s*\[.*"shape"', 'run its app "Export to COCO"'),
    _Tool("Supervisely", "*.json", rb'"classTitle"\s*:', 'run its app "Export to COCO"'),
    _Tool(_VIA, "*.json", rb'"_via_|"shape_attributes"\s*:', "choose Annotation > Export Annotations (COCO format)"),
    _Tool(_VIA, "*.csv", rb"region_shape_attributes", "choose Annotation > Export Annotations (COCO format)"),
    _Tool("Datumaro", "*.json", rb'"categories"\s*:\s*\{|"media_type"\s*:', _BY_DATUMARO),
    _Tool("CreateML", "*.createml.json", b"", "choose COCO in the export of Roboflow"),
    _Tool("CreateML", "*.json", rb'"coordinates"\s*:\s*\{\s*"(?:x|y|width|height)"', _BY_ROBOFLOW),
    _Tool(
        "Roboflow's classification",
        "*_classes.csv",
        b"",
        "it has no boxes; choose a project of object detection, or write questions and answers as annotations.jsonl",
    ),
    _Tool(_LABELBOX, "*.ndjson", b"", _BY_ROBOFLOW),
    _Tool(_LABELBOX, "*.json", rb'"data_row"\s*:|"Labeled Data"\s*:', _BY_ROBOFLOW),
    _Tool("V7 Darwin", "*.json", rb'"schema_ref".*darwin|"slot_names"', "choose COCO in its export"),
    _Tool("SuperAnnotate", "*.json", rb'"instances"\s*:\s*\[.*"className"', "convert it to COCO by its Python SDK"),
    _Tool("Scalabel (BDD100K)", "*.json", rb'"box2d"\s*:', "convert it: python -m scalabel.label.to_coco"),
    _Tool("Cityscapes", "*_polygons.json", b"", "convert it to COCO by a script of mmdetection"),
    _Tool("SageMaker Ground Truth", "*.manifest", rb'"source-ref"', _BY_ROBOFLOW),
    _Tool("Vertex AI", "*.jsonl", rb'"imageGcsUri"', _BY_ROBOFLOW),
    _Tool("Open Images", "*.csv", rb"ImageID,.*LabelName", "export it by FiftyOne as COCODetectionDataset"),
    _Tool("KITTI", "*label*/*.txt", rb"^[A-Za-z_]+( -?[\d.]+){14}", _BY_DATUMARO),
    _Tool("TFRecord", "*.tfrecord*", b"", "choose COCO in the tool that wrote it"),
    _Tool("Parquet", "*.parquet", b"", "write its images as files, with annotations.jsonl beside them"),
    _Tool("Pascal VOC's segmentation", "*segmentation*/*.png", b"", _NO_BOXES),
    _Tool("semantic segmentation", "*masks/*.png", b"", _NO_BOXES),
)
"""Tools by the files that give them away, the surest first."""


def foreign_tool(folder: Path) -> str:
    """Return which tool wrote a data set and what to export instead, for messages; empty if it is not known."""
    files = list(_files_below(folder))
    for tool in _TOOLS:
        for file in files:
            if fnmatch.fnmatchcase(file.lower(), tool.files) and _holds(folder / file, tool.content):
                return _sentence(tool, file)
    return ""


def foreign_file(file: Path) -> str:
    """Return which tool wrote a file and what to export instead, for messages; empty if it is not known."""
    for tool in _TOOLS:
        if fnmatch.fnmatchcase(f"{file.parent.name}/{file.name}".lower(), tool.files) and _holds(file, tool.content):
            return _sentence(tool, file.name)
    return ""


def _sentence(tool: _Tool, file: str) -> str:
    return f"{ascii(file)[1:-1]} is of {tool.name}, which is not read; {tool.remedy}"


def _files_below(folder: Path) -> Iterator[str]:
    """Yield some files of each folder, images of masks among them; hidden ones and links to folders are left out."""
    pending = [("", 0)]
    for _ in range(_MOST_FOLDERS):
        if not pending:
            return
        above, depth = pending.pop(0)
        try:
            with os.scandir(folder / above) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue
        plain = [entry for entry in entries if not entry.name.startswith(".")]
        names = [f"{above}{entry.name}" for entry in plain if entry.is_file(follow_symlinks=False)]
        by_suffix = itertools.groupby(sorted(names, key=lambda name: Path(name).suffix), lambda name: Path(name).suffix)
        for _suffix, same in by_suffix:
            yield from itertools.islice(same, _MOST_FILES)
        if depth < _DEPTH:
            folders = [entry.name for entry in plain if entry.is_dir(follow_symlinks=False)]
            pending += [(f"{above}{name}/", depth + 1) for name in folders]


def _holds(file: Path, content: bytes) -> bool:
    if not content:
        return True
    try:
        with open_regular(file) as handle:
            return re.search(content, handle.read(_HEAD), re.DOTALL) is not None
    except OSError:
        return False
