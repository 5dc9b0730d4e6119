"""The JSON and JSON-MIN exports of Label Studio: a list of tasks, with the images next to it.

    project-1.json  images/a.jpg      or train/result.json with the images of the split, likewise valid/ and test/

Labelled shapes become an ``<OD>`` sample of their image, one for each task; coordinates are percent of its size. A
polygon, an ellipse or a rectangle that is turned has the box around it. A text tag called "caption" becomes a
``<CAPTION>`` sample; another text or choice about the whole image becomes a ``<VQA>`` sample, where the data of the
task have a "question". Of several annotations of a task the ground truth counts, or else the first that is not
cancelled; a task without any is left out, since it is not known whether its image is empty.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.files import join, read_json
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.label_studio_results import GlobalAnswer, add_results, minimal_results
from florence2.datasets.formats.labelled_image import LabelledImage, Remarks
from florence2.datasets.formats.reading import files_in_splits, read_files, single_file, starts_like
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError

__all__ = ["LABEL_STUDIO"]

logger = logging.getLogger(__name__)

_LARGEST_FILE = 1 << 30
_LIST = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*\[\s*\{")
_KEYS = re.compile(
    rb'"(?:annotations|completions)"\s*:\s*\[\s*(?:\]|\{\s*"(?:id|result|completed_by|was_cancelled|lead_time)")'
    rb'|"annotation_id"\s*:'
)
_IMAGE_KEYS = ("image", "img", "photo")
_UPLOAD = re.compile(r"[0-9a-f]{8}-(.+)")
"""Name of an uploaded file, which Label Studio begins with random digits."""


def _find_sources(root: Path) -> list[tuple[str, str]]:
    return [source for source in files_in_splits(root, ".json") if _holds(root, source[1])]


def _holds(root: Path, file: str) -> bool:
    return file.lower().endswith(".json") and starts_like(root, file, _LIST, _KEYS)


def _recognise(root: Path) -> bool:
    return bool(_find_sources(root))


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: the samples of each task, in the order train, valid, test, none."""
    return _read_sources(root, _find_sources(root), verify=verify)


def _read_sources(root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest:
    images, remarks = ImageLookup(root), Remarks()
    manifest = read_files(
        root,
        sources,
        lambda split, file: _read_file(root, _File(split, file, images, remarks)),
        expected="a .json file exported from Label Studio as JSON, next to the images (or in train/, valid/, test/)",
        verify=verify,
    )
    remarks.log(logger, root)
    return manifest


@dataclass(frozen=True)
class _File:
    """An export that is read: its split, its path, what finds its images, what is counted, and the ids of its tasks."""

    split: str
    path: str
    images: ImageLookup
    remarks: Remarks
    ids: set[int] = field(default_factory=set)


def _read_file(root: Path, file: _File) -> Iterator[Annotation]:
    samples, minimal = 0, 0
    for key, task, line in read_json(root, file.path, _LARGEST_FILE):
        if key:
            raise AnnotationFileError(root / file.path, "not a list of tasks; export the project as JSON", line)
        for sample in _read_task(task, line, file):
            minimal += isinstance(task, dict) and "data" not in task and sample.suffix is None
            samples += bool(sample.regions) or sample.suffix is not None
            yield sample
    if minimal and not samples:
        raise AnnotationFileError(
            root / file.path, "no shape in this JSON-MIN export, which does not say what its texts are; export as JSON"
        )


def _read_task(task: Any, line: int, file: _File) -> Iterator[Annotation]:
    """Yield the samples of a task; one with the error, if anything of it cannot be read."""
    found = LabelledImage(file.split, file.path, line, unit="fractions")
    what = f"task {excerpt(task['id'])}" if isinstance(task, dict) and "id" in task else "task"
    answers: list[GlobalAnswer] = []
    data: dict[str, Any] = {}
    with found.part(line, what):
        data = _data(task)
        found.image = _find_image(data, file)
        results = _results(task, file)
        if results is None:
            return
        answers = add_results(found, results, what, file.remarks)
    samples: list[tuple[str, str]] = []
    if not found.problems:
        with found.part(line, what):
            samples = _samples(answers, data, has_boxes=bool(found.regions), remarks=file.remarks)
    if found.regions or found.problems or not answers:
        yield found.sample()
    for prefix, suffix in samples:
        yield Annotation(file.split, found.image, file.path, line, prefix, suffix)


def _data(task: Any) -> dict[str, Any]:
    """Return the data of a task; those of JSON-MIN stand in the task itself."""
    if not isinstance(task, dict):
        raise BadValueError(f"is {excerpt(task)}, not a JSON object")
    data = task.get("data", task if "annotation_id" in task else None)
    if not isinstance(data, dict):
        raise BadValueError(f"'data' is {excerpt(data)}, not a JSON object")
    return data


def _results(task: dict[str, Any], file: _File) -> list[Any] | None:
    """Return the results of the annotation that counts; None if the task is left out."""
    annotations = task.get("annotations", task.get("completions"))
    if annotations is None and "annotation_id" in task:  # JSON-MIN has an element for each annotation
        if type(task.get("id")) is int and task["id"] in file.ids:
            file.remarks.left_out["further annotation of a task"] += 1
            return None
        file.ids.update([task["id"]] if type(task.get("id")) is int else [])
        return minimal_results(task)
    if not isinstance(annotations, list) or any(not isinstance(each, dict) for each in annotations):
        raise BadValueError(
            f"'annotations' is {excerpt(annotations)}, not a list of objects; export the project as JSON"
        )
    finished = [each for each in annotations if not (each.get("was_cancelled") or each.get("skipped"))]
    if not finished:
        file.remarks.left_out["skipped task" if annotations else "task without annotation"] += 1
        return None
    if len(finished) > 1:
        file.remarks.left_out["further annotation of a task"] += len(finished) - 1
    results = next((each for each in finished if each.get("ground_truth") is True), finished[0]).get("result")
    if not isinstance(results, list):
        raise BadValueError(f"'result' is {excerpt(results)}, not a list")
    return results


def _samples(
    answers: list[GlobalAnswer], data: dict[str, Any], *, has_boxes: bool, remarks: Remarks
) -> list[tuple[str, str]]:
    """Return prefix and suffix of the samples that the answers about the whole image give."""
    captions = [answer for answer in answers if answer.kind == "textarea" and answer.name.lower() == "caption"]
    others = [answer for answer in answers if answer not in captions]
    samples = [("<CAPTION>", " ".join(answer.texts)) for answer in captions]
    question = data.get("question")
    if others and isinstance(question, str) and len(others) == 1:
        return [*samples, (f"<VQA>{checked_text(question, repr('question'))}", ", ".join(others[0].texts))]
    if others and not has_boxes and not captions:
        names = ", ".join(excerpt(answer.name) for answer in others[:3])
        raise BadValueError(
            f"{names} {'are answers' if len(others) > 1 else 'is an answer'} to no question that the file names; give "
            "the task one 'question' in its data, call a text tag 'caption', or write the samples as JSONL"
        )
    remarks.left_out.update(f"{answer.kind} {excerpt(answer.name)}" for answer in others)
    return samples


def _find_image(data: dict[str, Any], file: _File) -> str:
    """Return the path of the image of a task."""
    suffixes = tuple(Image.registered_extensions())
    texts = {key: _path(value) for key, value in data.items() if isinstance(value, str)}
    named = [path for path in texts.values() if path.lower().endswith(suffixes)]
    own = [texts[key] for key in _IMAGE_KEYS if key in texts]
    if not own and len(set(named)) != 1:
        raise BadValueError(f"the data name {len(set(named))} images; expected one, with the key 'image'")
    name = checked_name((own or named)[0], "the path of the image")
    folder, base = posixpath.split(name)
    uploaded = _UPLOAD.fullmatch(base)
    names = [name, join(folder, uploaded[1])] if uploaded else [name]
    above = posixpath.dirname(file.path)
    return file.images.find(*names, folders=[above, join(above, "images")])


def _path(value: str) -> str:
    """Return the path in an address of an image: that of an upload, a local file, a bucket or a web server."""
    if not value.startswith("/data/") and "://" not in value:
        return value
    try:
        parts = urlsplit(value)
        query = parse_qs(parts.query)
    except ValueError:  # not a valid address
        return value
    if "/data/local-files" in parts.path and "d" in query:
        return query["d"][-1]
    path = unquote(parts.path) if parts.scheme in ("http", "https", "") else parts.path
    return posixpath.basename(path) if path.startswith("/data/upload/") else path.lstrip("/")


LABEL_STUDIO = Format(
    files="a .json exported from Label Studio as JSON or JSON-MIN",
    samples="one `<OD>` sample for each labelled task; `<VQA>`, `<CAPTION>` for its answers",
    recognise=_recognise,
    read=_read,
    single=single_file(_holds, _read_sources),
)
"""The format label-studio."""
