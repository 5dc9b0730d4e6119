"""Where the answers about a folder of images are kept: in parts during a run, complete at its end.

A run that was killed leaves its parts, and the next run with the same prompt, model and settings continues from them.
The location is a local folder or a URI; each part is a file of its own, since object stores cannot append. Each
combination of prompt, model and settings has its own folder of parts; the complete answers are those of the run that
finished last, and of no other.
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
from florence2.storage import AnswerFiles, is_archive, redact

__all__ = ["AnswerFolder", "answers_location", "open_answer_folder"]

logger = logging.getLogger(__name__)

_PARTS = ".parts"
_PART_ANSWERS = 256
_PART_SECONDS = 10.0
_NOT_DECIDING = {"metrics", *EvaluationConfig.with_effect(Effect.EXECUTION, Effect.REPORT)}
"""Settings of the evaluation that change no answer."""


def answers_location(images: ImagesConfig) -> str | None:
    """Return the folder or URI in which answers about images are kept; None where they are not kept.

    Without ``output`` that is ``FOLDER-predictions`` next to the folder, the archive, or the object of a URI. Built-in
    sets and web pages have no such folder.
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
    """Return the folder in which answers are kept, created if it is missing; None where they are not kept.

    Args:
        images: the location and the prompt.
        model_content: fingerprint of the model.
        evaluation: how answers are generated.
        file_system: returns the fsspec file system of an address, for a caller that has the credentials; None: fsspec
            finds them.

    Raises:
        ConfigurationError: the location of ``images.output`` cannot be written. If the default location cannot be
            written, there is a warning instead.
    """
    location = answers_location(images)
    if location is None:
        return None
    identity = [images.prefix, model_content, evaluation.model_dump(mode="json", exclude=_NOT_DECIDING)]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    try:
        folder = AnswerFolder(location, key, file_system)
        folder.prepare()
    except ConfigurationError as exc:
        if images.output is not None:
            raise
        logger.warning("%s; the answers are not kept", exc)
        return None
    return folder


class AnswerFolder:
    """Keeps the answers to one prompt about the images of one folder.

    Args:
        location: a local folder or a URI; created if it is missing.
        key: identifies prompt, model and settings.
        file_system: as ``open_answer_folder`` takes it.

    Raises:
        ConfigurationError: there is no file system for such a location.
    """

    def __init__(self, location: str, key: str, file_system: Callable[[str], Any] | None = None) -> None:
        self.location = location
        with self._translated():
            self._files = fsspec.core.url_to_fs(location)[0] if file_system is None else file_system(location)
            self._path = self._files._strip_protocol(location)
        self._parts = f"{self._path}/{_PARTS}/{key}"
        self._waiting: list[tuple[str, ImageAnswer]] = []
        self._written = time.monotonic()

    def prepare(self) -> None:
        """Create the folder and write into it, so that a problem is found before any answer is generated.

        Raises:
            ConfigurationError: it cannot be written.
        """
        with self._translated():
            self._files.makedirs(self._parts, exist_ok=True)
            self._files.pipe_file(f"{self._parts}/started", b"")

    def answered(self) -> dict[tuple[str, str], ImageAnswer]:
        """Return the answers of an earlier run, by name and sha256 of the image.

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
                continue  # the last line of a run that was killed while writing
            found[answer.image, content["sha256"]] = answer
        return found

    def add(self, sha256: str, answer: ImageAnswer) -> None:
        """Keep an answer; several are written together, every few seconds."""
        self._waiting.append((sha256, answer))
        if len(self._waiting) >= _PART_ANSWERS or time.monotonic() - self._written > _PART_SECONDS:
            lines = [json.dumps({"sha256": sha, "answer": answer.to_dict()}) for sha, answer in self._waiting]
            with self._translated():
                self._files.pipe_file(f"{self._parts}/{time.time_ns()}.jsonl", "\n".join(lines).encode())
            self._waiting, self._written = [], time.monotonic()

    def finish(self, predictions: ImagePredictions) -> None:
        """Write all answers as ``ImagePredictions.save`` does, and remove their parts; the parts of other runs stay.

        The complete answers of an earlier run are removed first, and no other file.

        Raises:
            ConfigurationError: the location can no longer be written; the parts are still there.
            DatasetError: an image that is to be drawn can no longer be read; all files are still there.
        """
        with tempfile.TemporaryDirectory() as folder:
            predictions.save(Path(folder))
            names = [file.relative_to(folder).as_posix() for file in Path(folder).rglob("*") if file.is_file()]
            with self._translated():
                self._remove_earlier()
                # In the reverse order of their removal: the header is written last, and shows that all files are there.
                for name in reversed(saved_files(names)):
                    target = f"{self._path}/{name}"
                    self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                    self._files.put_file(f"{folder}/{name}", target)
                self._files.rm(self._parts, recursive=True)
                self._remove_empty(_PARTS)  # another run may keep its parts there

    def _remove_earlier(self) -> None:
        """Remove the complete answers of an earlier run."""
        self._files.invalidate_cache()
        files = [str(file) for file in self._files.find(self._path, maxdepth=2)]
        for name in saved_files(file.removeprefix(f"{self._path}/") for file in files):
            self._files.rm_file(f"{self._path}/{name}")
        self._remove_empty(AnswerFiles.DRAWN)

    def _remove_empty(self, name: str) -> None:
        with contextlib.suppress(OSError):  # it is not empty, or missing
            self._files.rmdir(f"{self._path}/{name}")

    @contextlib.contextmanager
    def _translated(self, action: Literal["read", "written"] = "written") -> Iterator[None]:
        """Raise errors of a file system as one that names the location and the remedy."""
        try:
            yield
        except Florence2Error:
            raise
        except Exception as exc:  # each file system has its own
            raise ConfigurationError(
                f"{redact(self.location)}: cannot be {action} ({type(exc).__name__}: {redact(str(exc))}); "
                "give another images.output, or images.keep_answers: false"
            ) from exc
