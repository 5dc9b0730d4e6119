"""``Evaluated``: a model's scores on a split, with intervals and analysis, and on resamples of it for comparisons."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.errors import Florence2Error
from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import (
    Comparisons,
    Resampled,
    Resamples,
    bootstrap_intervals,
    paired_comparison,
    resample,
)
from florence2.evaluation.evaluate import SplitEvaluation, evaluate_split
from florence2.evaluation.matching import MatchedImage
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric, rank_among_equals
from florence2.evaluation.report import ModelEvaluation
from florence2.model import load_folder

__all__ = ["Evaluated", "describe", "evaluate_weights"]

_EVALUATION_FILE = "evaluation.json"
_RESAMPLES_FILE = "resamples.npz"


@dataclass(frozen=True)
class Evaluated:
    """The evaluation of a candidate on the test split.

    Attributes:
        evaluation: its scores, with the analysis; None where the model could not be evaluated.
        resamples: its scores on resamples of the images; empty where the model could not be evaluated.
    """

    evaluation: ModelEvaluation | None
    resamples: Resamples

    @classmethod
    def nothing(cls) -> Evaluated:
        """Return the evaluation of a model that could not be evaluated."""
        return cls(None, Resamples(0, 0, {}, {}))

    def save(self, folder: Path) -> None:
        """Write ``evaluation.json`` and ``resamples.npz`` into a folder."""
        entries: list[tuple[str | None, str, float]] = []
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        for index, (label, name, score) in enumerate(_scores(self.resamples)):
            entries.append((label, name, score.value))
            arrays[str(index)] = score.resampled
        content = {
            "evaluation": _adapter().dump_python(self.evaluation, mode="json"),
            "images": self.resamples.images,
            "seed": self.resamples.seed,
            "scores": entries,
        }
        (folder / _EVALUATION_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        np.savez_compressed(folder / _RESAMPLES_FILE, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> Evaluated:
        """Read what ``save`` wrote.

        Raises:
            Florence2Error: a file is missing or damaged.
        """
        try:
            content = json.loads((folder / _EVALUATION_FILE).read_text(encoding="utf-8"))
            resamples = Resamples(content["images"], content["seed"], {}, {})
            with np.load(folder / _RESAMPLES_FILE) as arrays:
                for index, (label, name, value) in enumerate(content["scores"]):
                    target = resamples.scores if label is None else resamples.per_class.setdefault(label, {})
                    target[name] = Resampled(value, arrays[str(index)])
            return cls(_adapter().validate_python(content["evaluation"]), resamples)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise Florence2Error(f"{folder} holds no readable evaluation ({exc}); evaluate the model again") from exc

    def compare(self, after: Evaluated, level: float) -> Comparisons:
        """Compare another model with this one on the same resamples; empty where one of them was not evaluated.

        Args:
            after: the other model, evaluated on the same split.
            level: of the intervals of the differences.
        """
        if self.evaluation is None or after.evaluation is None:
            return Comparisons()
        return paired_comparison(self.resamples, after.resamples, level)


def evaluate_weights(weights: Path, name: str, split: DatasetManifest, config: EvaluationConfig) -> Evaluated:
    """Evaluate a saved model on a split.

    Args:
        weights: folder of the model with its processor.
        name: of the model, for the report.
        split: the samples.
        config: how answers are generated and evaluated, and the number of resamples.

    Raises:
        ModelError: the folder holds no complete Florence-2.
        DatasetError: the split is empty.
    """
    return Evaluated(*describe(evaluate_split(load_folder(str(weights)), name, split, config), config))


def describe(
    evaluated: SplitEvaluation, config: EvaluationConfig, baseline: SplitEvaluation | None = None
) -> tuple[ModelEvaluation, Resamples]:
    """Return the scores of a model with intervals and analysis, and its scores on resamples of the images.

    Args:
        evaluated: the model on a split.
        config: number of resamples.
        baseline: the answers without seeing the image on the same samples, ``evaluate_baseline``.
    """
    resamples = _resample(evaluated, config)
    evaluation = replace(
        evaluated.evaluation,
        intervals=bootstrap_intervals(resamples).scores,
        analysis=analyse(evaluated.samples, _ranked_images(evaluated)),
        baseline=None if baseline is None else _baseline_scores(baseline, resamples, config),
    )
    return evaluation, resamples


def _baseline_scores(baseline: SplitEvaluation, resamples: Resamples, config: EvaluationConfig) -> BaselineScores:
    compared = paired_comparison(_resample(baseline, config), resamples)
    return BaselineScores(baseline.evaluation.metrics, compared.scores)


def _resample(evaluated: SplitEvaluation, config: EvaluationConfig) -> Resamples:
    numbers = {image: number for number, image in enumerate(dict.fromkeys(each.image for each in evaluated.samples))}
    images = np.array([numbers[each.image] for each in evaluated.samples], dtype=np.int64)
    units = [images[list(indices)] for _, indices in evaluated.metrics]
    return resample([metric for metric, _ in evaluated.metrics], units, config.resamples)


def _ranked_images(evaluated: SplitEvaluation) -> list[MatchedImage]:
    """Return the images that mean average precision evaluates, in its order."""
    of_boxes = [indices for metric, indices in evaluated.metrics if isinstance(metric, MeanAveragePrecisionMetric)]
    samples = [evaluated.samples[index] for indices in of_boxes for index in indices]
    images = [sample.boxes for sample in samples if sample.boxes is not None]
    return sorted(images, key=lambda image: rank_among_equals(image.prediction, image.target))


def _scores(resamples: Resamples) -> Iterator[tuple[str | None, str, Resampled]]:
    """Yield class, or None, name and values of every score."""
    yield from ((None, name, score) for name, score in resamples.scores.items())
    for label, scores in resamples.per_class.items():
        yield from ((label, name, score) for name, score in scores.items())


@functools.cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(ModelEvaluation | None)
