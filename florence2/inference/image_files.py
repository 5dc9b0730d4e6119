"""The answers to one prompt about image files: as JSON Lines, as COCO results, and drawn."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from florence2.codec import TASKS, AnswerKind, Outline, outlines_in
from florence2.config import EvaluationConfig, core_count
from florence2.datasets import CocoIds
from florence2.errors import ConfigurationError, DatasetError, Florence2Error
from florence2.images import class_colours, draw_outlines, list_images, open_rgb, probe_image
from florence2.inference.coco_results import CocoResults, coco_results
from florence2.inference.generation import Prediction, predict
from florence2.model import Florence2, Sample
from florence2.storage import AnswerFiles, writing

__all__ = ["ImageAnswer", "ImagePredictions", "Keeper", "find_images", "predict_images", "saved_files"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageAnswer:
    """The answer about one image file.

    Attributes:
        image: its name, a path relative to the folder of all.
        resolution_wh: width and height in pixels; None if the image cannot be decoded.
        prediction: the answer; None if the image cannot be decoded.
        error: why the image cannot be decoded, else None.
    """

    image: str
    resolution_wh: tuple[int, int] | None = None
    prediction: Prediction | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON can hold it; boxes as ``class``, ``score`` and ``xyxy`` in pixels."""
        if self.prediction is None or self.resolution_wh is None:
            return {"image": self.image, "error": self.error}
        width, height = self.resolution_wh
        return {"image": self.image, "width": width, "height": height, **self.prediction.to_dict()}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Return the answer of a dictionary, the inverse of ``to_dict``."""
        if "error" in content:
            return cls(content["image"], error=content["error"])
        return cls(content["image"], (content["width"], content["height"]), Prediction.from_dict(content))


@dataclass(frozen=True)
class ImagePredictions:
    """The answers to one prompt about image files.

    Attributes:
        root: folder to which their names are relative.
        prefix: the prompt.
        answers: one for each file, in the order in which they were given.
        drawn: number of images that ``save`` draws, from the first.
        like: ids and names of a COCO data set, which the COCO results use; None: ids of their own.
        kind: how the answers are written; None where only the prompt tells it.
    """

    root: Path
    prefix: str
    answers: tuple[ImageAnswer, ...]
    drawn: int = 100
    like: CocoIds | None = None
    kind: AnswerKind | None = None

    def counts(self) -> dict[str, int]:
        """Return the number of images, of those that cannot be decoded, boxes, cut answers and malformed groups."""
        found = [answer.prediction for answer in self.answers if answer.prediction is not None]
        return {
            "images": len(self.answers),
            "unreadable": len(self.answers) - len(found),
            "boxes": sum(len(prediction.detections or ()) for prediction in found),
            "truncated": sum(prediction.truncated for prediction in found),
            "malformed": sum(prediction.malformed for prediction in found),
        }

    def lines(self) -> Iterator[str]:
        """Yield a line of JSON for each image."""
        for answer in self.answers:
            yield json.dumps(answer.to_dict(), ensure_ascii=False)

    def save(self, folder: Path) -> None:
        """Write the answers into a folder, which is created if it is missing.

        They replace all answers that were saved there before (see ``saved_files``); other files stay. The header
        ``predictions.json`` is removed first and written last, so a folder that has it is complete.

        Args:
            folder: for ``predictions.jsonl``, ``predictions.json`` with the counts; where the task requests boxes,
                ``coco_results.json`` and ``coco_dataset.json`` with the images and categories that its ids mean; and
                ``drawn/`` with images where its answers show boxes, quadrilaterals or polygons.

        Raises:
            ConfigurationError: it cannot be written.
            DatasetError: an image that is to be drawn can no longer be read.
        """
        kind = self.kind and self.kind.value
        header = {"root": str(self.root), "prefix": self.prefix, "kind": kind, "drawn": self.drawn, **self.counts()}
        with writing(folder, "give another folder"):
            folder.mkdir(parents=True, exist_ok=True)
            _remove_saved(folder)
            (folder / AnswerFiles.LINES).write_text("".join(f"{line}\n" for line in self.lines()), encoding="utf-8")
            if any(answer.prediction and answer.prediction.detections is not None for answer in self.answers):
                coco = self.coco()
                (folder / AnswerFiles.DATASET).write_text(json.dumps(coco.dataset) + "\n", encoding="utf-8")
                (folder / AnswerFiles.RESULTS).write_text(json.dumps(coco.results) + "\n", encoding="utf-8")
            self._draw(folder / AnswerFiles.DRAWN)
            (folder / AnswerFiles.HEADER).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            Florence2Error: a file is missing or damaged.
        """
        try:
            header = json.loads((folder / AnswerFiles.HEADER).read_text(encoding="utf-8"))
            with (folder / AnswerFiles.LINES).open(encoding="utf-8") as lines:
                answers = tuple(ImageAnswer.from_dict(json.loads(line)) for line in lines)
            # Folders of earlier versions have neither a number nor a kind.
            kind = AnswerKind(header["kind"]) if header.get("kind") else None
            drawn = header.get("drawn", cls.drawn)
            return cls(Path(header["root"]), header["prefix"], answers, drawn, kind=kind)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise Florence2Error(
                f"{folder} holds no readable {AnswerFiles.HEADER} and {AnswerFiles.LINES}: {exc}"
            ) from exc

    def coco(self) -> CocoResults:
        """Return the boxes as COCO results.

        Raises:
            DatasetError: the reference of their ids has several images or classes of one name.
        """
        return coco_results(
            (
                (answer.image, answer.resolution_wh or (0, 0), answer.prediction.detections)
                for answer in self.answers
                if answer.prediction is not None and answer.prediction.detections is not None
            ),
            self.like,
        )

    def _draw(self, folder: Path) -> None:
        """Draw the answers; no folder is created where the task's answers cannot be drawn."""
        kind = self.kind or TASKS.task_of(self.prefix).answer
        shown: list[tuple[int, ImageAnswer, tuple[Outline, ...]]] = []
        for number, answer in enumerate(self.answers, 1):
            if answer.prediction is not None and answer.resolution_wh is not None:
                found = answer.prediction
                outlines = outlines_in(kind, found.text, answer.resolution_wh, found.detections, found.unseen)
                if outlines is None:
                    return
                shown.append((number, answer, outlines))
        folder.mkdir(exist_ok=True)
        colours = class_colours(outline.name for _, _, outlines in shown for outline in outlines)
        for number, answer, outlines in shown[: self.drawn]:
            image = draw_outlines(open_rgb(self.root / answer.image), outlines, colours=colours)
            image.save(folder / f"{number:05d}_{Path(answer.image).stem}.png")


def saved_files(names: Iterable[str]) -> list[str]:
    """Return which files of a folder ``ImagePredictions.save`` has written, in the order in which to replace them.

    Args:
        names: of the files in the folder and its sub-folders, relative to it, with ``/`` between folder and file.

    Returns:
        ``predictions.json`` first and ``predictions.jsonl`` last. Where the latter is missing nothing was saved, and
        files with the other names are the user's own: an empty list.
    """
    found = set(names)
    if AnswerFiles.LINES not in found:
        return []
    drawn = {name for name in found if re.fullmatch(rf"{AnswerFiles.DRAWN}/\d{{5,}}_[^/]*\.png", name)}
    optional = found & {AnswerFiles.RESULTS, AnswerFiles.DATASET} | drawn
    return [*sorted(found & {AnswerFiles.HEADER}), *sorted(optional), AnswerFiles.LINES]


def _remove_saved(folder: Path) -> None:
    """Remove the answers that were saved in a folder before."""
    files = [*folder.iterdir(), *(folder / AnswerFiles.DRAWN).glob("*")]
    for name in saved_files(file.relative_to(folder).as_posix() for file in files if not file.is_dir()):
        (folder / name).unlink()
    with contextlib.suppress(OSError):  # it is not there, or holds files of the user
        (folder / AnswerFiles.DRAWN).rmdir()


def find_images(paths: Sequence[str]) -> list[str]:
    """Return the image files of paths and patterns.

    Args:
        paths: files, folders (all images in them, at any depth) and patterns such as ``photos/*.jpg``.

    Raises:
        ConfigurationError: some of them have no image; the message lists all of these.
    """
    found: dict[str, None] = {}
    missing = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            files = [str(path / image) for image in list_images(path)]
        elif path.is_file():
            files = [name]
        else:
            files = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())  # noqa: PTH207
        if not files:
            missing.append(f"{name}: {'no images in this folder' if path.is_dir() else 'no such file or folder'}")
        found |= dict.fromkeys(files)
    if missing or not found:
        raise ConfigurationError("no images:\n  " + "\n  ".join(missing or ["no path was given"]))
    return list(found)


class Keeper(Protocol):
    """Keeps answers during a run, see ``AnswerFolder``."""

    def answered(self) -> Mapping[tuple[str, str], ImageAnswer]:
        """Return the answers of an earlier run, by name and sha256 of the image."""

    def add(self, sha256: str, answer: ImageAnswer) -> None:
        """Keep an answer."""


def predict_images(
    florence2: Florence2,
    images: Sequence[str],
    prefix: str,
    config: EvaluationConfig,
    root: Path = Path(),
    keeper: Keeper | None = None,
) -> ImagePredictions:
    """Answer one prompt about each of some image files.

    A file that cannot be decoded does not stop the run: its answer says why.

    Args:
        florence2: the model.
        images: names of files.
        prefix: the prompt, such as ``<OD>``.
        config: how answers are generated.
        root: folder to which the names are relative.
        keeper: has the answers of a run with the same prompt that was killed, and keeps those of this one.

    Raises:
        AnswerError: the prefix does not begin with a task token, or lacks the input of its task.
        DatasetError: none of the files can be decoded; the message lists the first 20.
    """
    kind = florence2.tasks.task_of(prefix).answer
    with ThreadPoolExecutor(core_count()) as pool:
        probes = list(pool.map(lambda name: probe_image(root / name), images))
    rows = []
    for name, probe in zip(images, probes, strict=True):
        size = (probe.width, probe.height) if probe.width and probe.height else None
        rows.append(ImageAnswer(name, size, error=probe.error))
    if all(row.error for row in rows):
        listed = "\n  ".join(f"{row.image}: {row.error}" for row in rows[:20])
        raise DatasetError(f"none of {len(rows)} images can be decoded:\n  {listed}")
    kept = keeper.answered() if keeper is not None else {}
    answered = {
        name: kept[name, probe.sha256]
        for name, probe in zip(images, probes, strict=True)
        if (name, probe.sha256) in kept
    }
    if answered:
        logger.info("%d of %d images were answered by an earlier run", len(answered), len(rows))
    left = [
        (row, probe) for row, probe in zip(rows, probes, strict=True) if not row.error and row.image not in answered
    ]
    samples = [Sample(root / row.image, prefix, "", row.resolution_wh or (0, 0), florence2.tasks) for row, _ in left]
    for (row, probe), prediction in zip(left, predict(florence2, samples, config), strict=True):
        answered[row.image] = answer = ImageAnswer(row.image, row.resolution_wh, prediction)
        if keeper is not None:
            keeper.add(probe.sha256, answer)
    return ImagePredictions(root, prefix, tuple(answered.get(row.image, row) for row in rows), kind=kind)
