"""Where the answers about a folder of images are kept: while they are made in parts, at the end as a whole.

A run that was killed leaves its parts, and the next one of the same question to the same model goes on from there. The
place is a local folder or a URI; each part is a file of its own, since object stores cannot append. Each question
has a folder for its parts; the finished answers are those of the question that was finished last, and of no other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import fsspec  # type: ignore[import-untyped]

from florence2.config import Effect, EvaluationConfig, ImagesConfig
from florence2.errors import ConfigurationError, Florence2Error
from florence2.inference.image_files import ImageAnswer, ImagePredictions, saved_files
from florence2.storage import is_archive, redact

__all__ = ["AnswerFolder", "answers_location", "open_answer_folder"]

logger = logging.getLogger(__name__)

_PARTS = ".parts"
_PART_ANSWERS = 256
_PART_SECONDS = 10.0
_NOT_DECIDING = {"metrics", *EvaluationConfig.with_effect(Effect.COURSE, Effect.REPORT)}
"""Settings of the evaluation that change no answer."""


def answers_location(images: ImagesConfig) -> str | None:
    """Return the folder or URI in which answers about images are kept; None where they are kept nowhere.

    Without ``output`` that is ``FOLDER-predictions`` next to the folder, the archive, or whatever a URI names.
    What cannot have anything beside it, a built-in set or a page of the web, has none.
    """
    if not images.keep_answers or images.output is not None:
        return images.output
    folder = images.folder.rstrip("/")
    if folder.startswith("builtin:") or re.match(r"https?://", folder):
        return None
    if "://" not in folder:
        folder = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - "." has no name of its own
    above, slash, name = folder.rpartition("/")
    if is_archive(name) or name.endswith(".json"):
        name = re.sub(r"(\.tar)?\.\w+$", "", name)
    return f"{above}{slash}{name}-predictions"


def open_answer_folder(
    images: ImagesConfig,
    model_content: str,
    evaluation: EvaluationConfig,
    file_system: Callable[[str], Any] | None = None,
) -> AnswerFolder | None:
    """Return where answers are kept, made ready; None where they are kept nowhere.

    Args:
        images: says where, and holds the prompt.
        model_content: fingerprint of the model.
        evaluation: how answers are generated.
        file_system: gives the fsspec file system of an address, for a caller that has its credentials; None: fsspec
            finds them.

    Raises:
        ConfigurationError: the place cannot be written. One beside the images is then left out with a warning.
    """
    place = answers_location(images)
    if place is None:
        return None
    question = [images.prefix, model_content, evaluation.model_dump(mode="json", exclude=_NOT_DECIDING)]
    key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:16]
    try:
        folder = AnswerFolder(place, key, file_system)
        folder.prepare()
    except ConfigurationError as exc:
        if images.output is not None:
            raise
        logger.warning("%s; the answers are not kept beside the images", exc)
        return None
    return folder


class AnswerFolder:
    """Keeps the answers to one question about the images of one folder.

    Args:
        place: a local folder or a URI; made if absent.
        key: identifies the question: prompt, model and settings.
        file_system: as ``open_answer_folder`` takes it.

    Raises:
        ConfigurationError: there are no such places.
    """

    def __init__(self, place: str, key: str, file_system: Callable[[str], Any] | None = None) -> None:
        self.place = place
        with self._translated():
            self._files = fsspec.core.url_to_fs(place)[0] if file_system is None else file_system(place)
            self._path = self._files._strip_protocol(place)
        self._parts = f"{self._path}/{_PARTS}/{key}"
        self._waiting: list[tuple[str, ImageAnswer]] = []
        self._written = time.monotonic()

    def prepare(self) -> None:
        """Make the folder, and write into it, so that what is wrong with it is seen before the work.

        Raises:
            ConfigurationError: it cannot be written.
        """
        with self._translated():
            self._files.makedirs(self._parts, exist_ok=True)
            self._files.pipe_file(f"{self._parts}/started", b"")

    def answered(self) -> dict[tuple[str, str], ImageAnswer]:
        """Return what an earlier run answered, by name and sha256 of the image.

        Raises:
            ConfigurationError: it cannot be read.
        """
        with self._translated("read"):
            self._files.invalidate_cache()
            parts = [file for file in self._files.ls(self._parts, detail=False) if str(file).endswith(".jsonl")]
            texts = [self._files.cat_file(file).decode("utf-8", "replace") for file in parts]
        found: dict[tuple[str, str], ImageAnswer] = {}
        for line in (line for text in texts for line in text.splitlines()):
            try:
                content: dict[str, Any] = json.loads(line)
                answer = ImageAnswer.from_dict(content["answer"])
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a run that was killed while it wrote
            found[answer.image, content["sha256"]] = answer
        return found

    def add(self, sha256: str, answer: ImageAnswer) -> None:
        """Keep an answer; with others it is written every few seconds."""
        self._waiting.append((sha256, answer))
        if len(self._waiting) >= _PART_ANSWERS or time.monotonic() - self._written > _PART_SECONDS:
            lines = [json.dumps({"sha256": sha, "answer": answer.to_dict()}) for sha, answer in self._waiting]
            with self._translated():
                self._files.pipe_file(f"{self._parts}/{time.time_ns()}.jsonl", "\n".join(lines).encode())
            self._waiting, self._written = [], time.monotonic()

    def finish(self, predictions: ImagePredictions) -> None:
        """Write all answers as ``ImagePredictions.save`` does, and remove the parts; those of other questions stay.

        The answers to an earlier question are removed first, and no other file.

        Raises:
            ConfigurationError: the place cannot be written any more; the parts are still there.
            DatasetError: an image that is to be drawn can no longer be read; all is still there.
        """
        with tempfile.TemporaryDirectory() as folder:
            predictions.save(Path(folder))
            names = [file.relative_to(folder).as_posix() for file in Path(folder).rglob("*") if file.is_file()]
            with self._translated():
                self._remove_earlier()
                # The other way round than they are removed: the header comes last, and says that all is there.
                for name in reversed(saved_files(names)):
                    target = f"{self._path}/{name}"
                    self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                    self._files.put_file(f"{folder}/{name}", target)
                self._files.rm(self._parts, recursive=True)
                self._remove_empty(_PARTS)  # another run may keep its parts there

    def _remove_earlier(self) -> None:
        """Remove the answers of the question that was finished before."""
        self._files.invalidate_cache()
        files = [str(file) for file in self._files.find(self._path, maxdepth=2)]
        for name in saved_files(file.removeprefix(f"{self._path}/") for file in files):
            self._files.rm_file(f"{self._path}/{name}")
        self._remove_empty("drawn")

    def _remove_empty(self, name: str) -> None:
        with contextlib.suppress(OSError):  # it is not empty, or not there
            self._files.rmdir(f"{self._path}/{name}")

    @contextlib.contextmanager
    def _translated(self, doing: Literal["read", "written"] = "written") -> Iterator[None]:
        """Turn what a file system raises into an error that names the place and the remedy."""
        try:
            yield
        except Florence2Error:
            raise
        except Exception as exc:  # each file system has its own
            raise ConfigurationError(
                f"{redact(self.place)}: cannot be {doing} ({type(exc).__name__}: {redact(str(exc))}); "
                "give another images.output, or images.keep_answers: false"
            ) from exc
