"""``Evaluated``: a candidate's scores on the test split, and on resamples of it, so that two can be compared."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.errors import Florence2Error
from florence2.evaluation import ModelEvaluation, Resampled, Resamples

__all__ = ["Evaluated", "evaluate_weights"]

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


def evaluate_weights(weights: Path, name: str, test: DatasetManifest, config: EvaluationConfig) -> Evaluated:
    """Evaluate a model on the test split.

    Args:
        weights: folder of a saved model with its processor.
        name: of the model, for the report.
        test: the test split.
        config: how answers are generated and evaluated, and the number of resamples.

    Raises:
        ModelError: the folder holds no complete Florence-2.
        DatasetError: the split is empty.
    """
    from florence2.evaluation import describe, evaluate_split, evaluated_samples, resamples_of
    from florence2.model import load_folder

    answers = evaluate_split(load_folder(str(weights)), name, test, config)
    resamples = resamples_of(answers, config)
    return Evaluated(describe(answers, evaluated_samples(answers), resamples), resamples)


def _scores(resamples: Resamples) -> Iterator[tuple[str | None, str, Resampled]]:
    """Yield class, or None, name and values of every score."""
    yield from ((None, name, score) for name, score in resamples.scores.items())
    for label, scores in resamples.per_class.items():
        yield from ((label, name, score) for name, score in scores.items())


@functools.cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(ModelEvaluation | None)
