"""``Model``: a loaded model that answers prompts and evaluates itself on a data set."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Unpack, overload

from florence2.codec import AnswerKind, Detections
from florence2.config import AnswerKeywords, Configuration, EvaluationConfig
from florence2.datasets import SPLITS, DatasetManifest, ingest
from florence2.errors import AnswerError, ConfigurationError
from florence2.evaluation import ModelEvaluation, describe, evaluate_baseline, evaluate_split
from florence2.inference import Prediction, Predictor
from florence2.model import AnswerLength, Florence2, Sample, best_device
from florence2.reports import save_evaluation
from florence2.sdk.images import ImageInput, as_list, samples_of
from florence2.sdk.preparation import check_metrics, check_output, clean_splits, settings_of, tasks_of
from florence2.sdk.progress import shown_progress

__all__ = ["Model", "check_evaluation", "prepare_network"]

_KEPT_ENGINES = 8
"""Sets of generation settings for which a model keeps its engine; the least recently used is dropped."""


class Model:
    """A model that is ready to answer; ``florence2.load`` makes one.

    Attributes:
        name: under which it was loaded.
        florence2: the native transformers model and its processor, in float32; ``florence2.model`` is a plain
            ``Florence2ForConditionalGeneration``.

    Example:
        >>> import florence2, numpy as np
        >>> model = florence2.load("builtin:nano", device="cpu")
        >>> grey = np.full((64, 64, 3), 200, dtype=np.uint8)
        >>> len(model.predict([grey, grey], "<VQA>How many shapes are there?"))
        2
        >>> model.detect(grey).xyxy.shape[1]
        4
    """

    def __init__(self, florence2: Florence2, name: str) -> None:
        self.florence2, self.name = florence2, name
        self._engine = lru_cache(_KEPT_ENGINES)(Predictor)
        self._lock = threading.Lock()  # an engine answers one thread at a time

    def __reduce__(self) -> tuple[type[Model], tuple[Florence2, str]]:
        """Copy and pickle the model without its engines, which are created again."""
        return type(self), (self.florence2, self.name)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, device={self.device!r})"

    @property
    def device(self) -> str:
        """Return the device of the model, as torch names it: ``cpu``, ``cuda:0``."""
        return str(self.florence2.model.device)

    @overload
    def predict(  # type: ignore[overload-overlap] # a text is a sequence of texts, but here it is one path
        self, images: ImageInput, prefix: str = ..., **settings: Unpack[AnswerKeywords]
    ) -> Prediction: ...
    @overload
    def predict(
        self, images: Sequence[ImageInput], prefix: str = ..., **settings: Unpack[AnswerKeywords]
    ) -> list[Prediction]: ...
    def predict(
        self,
        images: ImageInput | Sequence[ImageInput],
        prefix: str = "<OD>",
        **settings: Unpack[AnswerKeywords],
    ) -> Prediction | list[Prediction]:
        """Answer a prompt about one image or several.

        Several images are answered in batches; an answer does not depend on the other images. Threads may share a
        model; their calls are answered one after the other.

        Args:
            images: a path, a Pillow image or an array of uint8 (height, width, 3) in RGB; or a sequence of these.
            prefix: the prompt: a task token and what belongs to it, ``<OD>``, ``<VQA>How many cards are there?``.
            settings: of generation, from the section ``evaluation`` of the configuration: ``num_beams=3``.

        Returns:
            For one image its answer: ``text``, and for a task with boxes ``detections``, in pixels. For a sequence a
            list of answers, in the same order.

        Raises:
            AnswerError: the prefix is not a task token with what belongs to it.
            ConfigurationError: a setting is unknown or invalid.
            DatasetError: an image cannot be decoded.
        """
        self.florence2.tasks.split_prefix(prefix)
        config = _generation_config(settings)
        several, is_one = as_list(images)
        answers = self._answers(samples_of(several, prefix, self.florence2.tasks), config) if several else []
        return answers[0] if is_one else answers

    def _answers(self, samples: Sequence[Sample], config: EvaluationConfig) -> list[Prediction]:
        with self._lock:
            engine = self._engine(self.florence2, config)
            prepare_network(self.florence2)  # its owner may have trained or moved the network in the meantime
            return list(engine.predict(samples))

    @overload
    def detect(  # type: ignore[overload-overlap]
        self, images: ImageInput, prefix: str = ..., **settings: Unpack[AnswerKeywords]
    ) -> Detections: ...
    @overload
    def detect(
        self, images: Sequence[ImageInput], prefix: str = ..., **settings: Unpack[AnswerKeywords]
    ) -> list[Detections]: ...
    def detect(
        self,
        images: ImageInput | Sequence[ImageInput],
        prefix: str = "<OD>",
        **settings: Unpack[AnswerKeywords],
    ) -> Detections | list[Detections]:
        """Find boxes in one image or in several.

        Args:
            images: as ``predict`` takes them.
            prefix: a prompt for boxes: ``<OD>``, ``<CAPTION_TO_PHRASE_GROUNDING>a red car``.
            settings: of generation, see ``predict``; ``min_confidence`` is the least confidence of a box.

        Returns:
            For one image its boxes: ``xyxy`` float32 (n, 4) in pixels, ``class_name``, ``confidence`` (n,). For a
            sequence a list of them, in the same order.

        Raises:
            AnswerError: the task of the prefix has no boxes.
            ConfigurationError: a setting is unknown or invalid.
            DatasetError: an image cannot be decoded.
        """
        if self.florence2.tasks.task_of(prefix).answer is not AnswerKind.BOXES:
            raise AnswerError(f"the answer to prefix {prefix!r} has no boxes with names; call predict for it")
        several, is_one = as_list(images)
        found = [answer.detections or Detections.empty() for answer in self.predict(several, prefix, **settings)]
        return found[0] if is_one else found

    def evaluate(
        self,
        configuration: Configuration | Mapping[str, Any],
        split: str = "test",
        output: Path | str | None = None,
    ) -> ModelEvaluation:
        """Evaluate the model on one split of a data set, see ``florence2.evaluate``."""
        config = settings_of(configuration)
        check_evaluation(config, split, output)
        with shown_progress():
            return self.evaluate_manifest(
                config, ingest(config.dataset, tasks_of(config, self.florence2.tasks)), split, output
            )

    def evaluate_manifest(
        self, config: Configuration, manifest: DatasetManifest, split: str, output: Path | str | None
    ) -> ModelEvaluation:
        """Evaluate the model on one split of a data set that was read already; see ``evaluate``."""
        limit = min(config.training.max_target_tokens, self.florence2.max_tokens)
        length = AnswerLength(limit, self.florence2.count_answer_tokens)
        splits = clean_splits(manifest, config, length)
        rows, train = splits.select(split), splits.select("train")
        evaluated = evaluate_split(self.florence2, self.name, rows, config.evaluation)
        baseline = evaluate_baseline(train, rows, config.evaluation) if len(train) else None
        evaluation, _ = describe(evaluated, config.evaluation, baseline)
        if output is not None:
            facts = {"model": evaluation.model, "split": split, "data": rows.fingerprint[:12]}
            save_evaluation(evaluated, evaluation, facts, config.evaluation, Path(output))
        return evaluation


def prepare_network(florence2: Florence2) -> None:
    """Move the network to its device, and set it to evaluation mode."""
    network: Any = florence2.model
    network.to(best_device() if florence2.device == "auto" else florence2.device).eval()


def check_evaluation(config: Configuration, split: str, output: Path | str | None) -> None:
    """Raise for wrong arguments of an evaluation, before any work is done.

    Raises:
        ConfigurationError: there is no such split or metric, or the output cannot be written.
    """
    if split not in SPLITS:
        raise ConfigurationError(f"there is no split {split!r}; give one of {', '.join(SPLITS)}")
    check_metrics(config)
    check_output(output)


def _generation_config(settings: AnswerKeywords) -> EvaluationConfig:
    """Return the section ``evaluation`` with the settings that were given by keyword.

    Raises:
        ConfigurationError: a keyword is not a setting of the section, or a value is invalid.
    """
    if others := sorted(settings.keys() - EvaluationConfig.model_fields.keys()):
        known = ", ".join(AnswerKeywords.__annotations__)
        raise ConfigurationError(f"{', '.join(others)}: not a setting of generation; give one of {known}")
    return Configuration(evaluation=dict(settings)).evaluation
