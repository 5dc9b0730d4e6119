"""Reader of the Florence JSONL layout.

    train/annotations.jsonl  train/*.png     and so on for valid/ (or val/, validation/) and test/
    annotations.jsonl        *.png           or directly in the folder, when there is no split yet

A line is ``{"image": "a.png", "prefix": "<OD>", "suffix": "cat<loc_1><loc_2><loc_3><loc_4>"}``; the image path is
relative to the file. A line that cannot be read becomes a row that says why; what spoils the set as a whole raises.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from florence2.codec.tasks import TASKS
from florence2.data.images import ImageDefect, ImageProbe, probe_images
from florence2.data.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["ANNOTATIONS_FILE", "read_jsonl"]

ANNOTATIONS_FILE = "annotations.jsonl"
"""Name of the file of annotations in each folder."""

_SPLIT_FOLDERS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
_SPLIT_ORDER = ("train", "valid", "test", "")
_KEYS = ("image", "prefix", "suffix")
_LOOK = f"it must hold train/{ANNOTATIONS_FILE} (likewise valid/, test/) or {ANNOTATIONS_FILE} beside the images"
_EXCERPT = 80


@dataclass(frozen=True)
class _Line:
    """One line as it stands: its three texts (empty if it cannot be read) and why it cannot."""

    split: str
    folder: str
    file: str
    number: int
    image: str = ""
    prefix: str = ""
    suffix: str = ""
    error: str | None = None

    @property
    def image_name(self) -> str:
        """Path of the image relative to the root, in normal form."""
        return posixpath.normpath(posixpath.join(self.folder, self.image)) if self.image else ""


def read_jsonl(root: Path) -> DatasetManifest:
    """Read a folder in the Florence JSONL layout.

    Args:
        root: the folder.

    Returns:
        A row for each line that is not blank, in the order train, valid, test, none, and of the lines in each file.

    Raises:
        DatasetError: the folder or its annotations are missing, a split has images but no annotations, or there is
            no line at all.
    """
    sources = _find_sources(root)
    lines = [line for split, folder in sources for line in _read_lines(root, split, folder)]
    if not lines:
        files = ", ".join(posixpath.join(folder, ANNOTATIONS_FILE) for _, folder in sources)
        raise DatasetError(f"{root}: no annotation in {files}; write a line for each image, or export the set again")
    probes = probe_images(root / line.image_name for line in lines if line.error is None and _stays_inside(line))
    return DatasetManifest.from_rows(root, (_row(line, probes.get(root / line.image_name)) for line in lines))


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the annotation files: pairs of split and folder relative to the root, in the order of the splits."""
    if not root.exists():
        raise DatasetError(f"{root}: no such folder; give the folder of a data set: {_LOOK}")
    if not root.is_dir():
        raise DatasetError(f"{root}: is a file; give the folder of a data set: {_LOOK}")
    entries = sorted(root.iterdir())
    sources = [("", "")] if (root / ANNOTATIONS_FILE).is_file() else []
    for entry in entries:
        if not entry.is_dir():
            continue
        split = _SPLIT_FOLDERS.get(entry.name.lower())
        if split is None:
            if (entry / ANNOTATIONS_FILE).is_file():
                raise DatasetError(
                    f"{entry}: holds {ANNOTATIONS_FILE} but is no split; name it train, valid or test, or move it away"
                )
            continue
        if (entry / ANNOTATIONS_FILE).is_file():
            sources.append((split, entry.name))
        elif (image := _first_image(entry)) is not None:
            raise DatasetError(
                f"{entry}: holds images such as {image.name} but no {ANNOTATIONS_FILE}; add it or remove the folder"
            )
    if not sources:
        there = ", ".join(entry.name + "/" * entry.is_dir() for entry in entries[:10]) or "nothing"
        more = f" and {len(entries) - 10} more" if len(entries) > 10 else ""
        raise DatasetError(f"{root}: no {ANNOTATIONS_FILE} found; {_LOOK}; it holds {there}{more}")
    return sorted(sources, key=lambda source: (_SPLIT_ORDER.index(source[0]), source[1]))


def _first_image(folder: Path) -> Path | None:
    suffixes = Image.registered_extensions()
    return next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes), None)


def _read_lines(root: Path, split: str, folder: str) -> Iterator[_Line]:
    file = posixpath.join(folder, ANNOTATIONS_FILE)
    try:
        with (root / file).open("rb") as handle:
            # Only a line feed ends a line here: str.splitlines would also cut at U+2028, which JSON texts may hold.
            for number, raw in enumerate(handle, start=1):
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                if not raw.strip():
                    continue
                values = _parse(raw)
                if isinstance(values, str):
                    yield _Line(split, folder, file, number, error=values)
                else:
                    yield _Line(split, folder, file, number, **values)
    except OSError as exc:
        raise DatasetError(f"{root / file}: cannot be read ({exc.strerror}); check the file's permissions") from exc


def _parse(raw: bytes) -> dict[str, str] | str:
    """Return the three texts of a line, or what is wrong with it."""
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as exc:
        return f"not valid UTF-8 at byte {exc.start + 1}"
    try:
        values = json.loads(text)
        return _problems(values) or values
    except json.JSONDecodeError as exc:
        return f"not valid JSON, {exc.msg} at column {exc.colno}: {_excerpt(text)}"
    except (ValueError, RecursionError) as exc:
        return f"not valid JSON ({exc}): {_excerpt(text)}"


def _problems(values: Any) -> str:
    """Say what keeps a JSON value from being an annotation, empty if nothing does."""
    if not isinstance(values, dict):
        return f"not a JSON object: {_excerpt(values)}"
    problems = [f"no key {key!r}" for key in _KEYS if key not in values]
    problems += [f"unknown key {_excerpt(key)}" for key in values if key not in _KEYS]
    for key in _KEYS:
        value = values.get(key, "")
        if not isinstance(value, str):
            problems.append(f"{key!r} is {_excerpt(value)}, not a text")
        elif not _is_unicode(value):
            problems.append(f"{key!r} holds half of a surrogate pair, which is no character: {_excerpt(value)}")
    if values.get("image") == "":
        problems.append("'image' is empty")
    return "; ".join(problems)


def _excerpt(value: Any) -> str:
    """Show a value in few characters, printable whatever it holds."""
    shown = repr(value)
    return shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}..."


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8; JSON escapes can spell halves of surrogate pairs."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _stays_inside(line: _Line) -> bool:
    name = line.image_name
    return not (posixpath.isabs(name) or name == ".." or name.startswith("../"))


def _row(line: _Line, probe: ImageProbe | None) -> dict[str, Any]:
    if line.error is not None:
        probe = ImageProbe()
    elif probe is None:
        probe = ImageProbe(error=f"{ImageDefect.OUTSIDE}: leads out of the data set's folder")
    token = line.prefix[: line.prefix.find(">") + 1]
    return {
        "split": line.split,
        "image": line.image_name,
        "width": probe.width,
        "height": probe.height,
        "sha256": probe.sha256,
        "task": token if token in TASKS else "",
        "prefix": line.prefix,
        "suffix": line.suffix,
        "file": line.file,
        "line": line.number,
        "line_error": line.error,
        "image_error": probe.error,
    }
