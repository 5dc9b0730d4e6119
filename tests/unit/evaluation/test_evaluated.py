"""The evaluation of a model with its resamples: what comes back from its files, and two of them compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from florence2.errors import Florence2Error
from florence2.evaluation.bootstrap import Comparisons, Resampled, Resamples
from florence2.evaluation.evaluated import Evaluated
from florence2.evaluation.report import ModelEvaluation


def evaluated(value: float, seed: int = 0) -> Evaluated:
    score = Resampled(value, np.array([value - 0.1, value, np.nan, value + 0.1]))
    return Evaluated(
        ModelEvaluation("model", {"map50": value}, {"cat": {"ap50": value}}),
        Resamples(4, seed, {"map50": score}, {"cat": {"ap50": score}}),
    )


def test_an_evaluation_comes_back_from_its_files(tmp_path: Path) -> None:
    before = evaluated(0.5, seed=7)
    before.save(tmp_path)
    after = Evaluated.load(tmp_path)
    assert after.evaluation == before.evaluation
    assert (after.resamples.images, after.resamples.seed) == (4, 7)
    assert after.resamples.per_class.keys() == {"cat"}
    assert after.resamples.scores["map50"].value == 0.5
    assert after.resamples.scores["map50"].resampled.tobytes() == before.resamples.scores["map50"].resampled.tobytes()


def test_a_missing_evaluation_comes_back_as_missing(tmp_path: Path) -> None:
    Evaluated.nothing().save(tmp_path)
    assert Evaluated.load(tmp_path) == Evaluated.nothing()


def test_the_error_of_a_damaged_file_names_the_remedy(tmp_path: Path) -> None:
    evaluated(0.5).save(tmp_path)
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(Florence2Error, match=r"holds no readable evaluation .* evaluate the model again"):
        Evaluated.load(tmp_path)


def test_two_models_are_compared_on_the_same_resamples() -> None:
    compared = evaluated(0.5).compare(evaluated(0.75), level=0.9)
    assert compared.scores["map50"].difference == 0.25
    assert compared.per_class["cat"]["ap50"].interval.level == 0.9


def test_nothing_is_compared_with_a_model_that_was_not_evaluated() -> None:
    assert Evaluated.nothing().compare(evaluated(0.5), 0.9) == Comparisons()
    assert evaluated(0.5).compare(Evaluated.nothing(), 0.9) == Comparisons()
