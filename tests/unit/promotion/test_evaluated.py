"""The evaluation of a candidate comes back from its files as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.errors import Florence2Error
from florence2.promotion.evaluated import Evaluated


def test_an_evaluation_comes_back_from_its_files(evaluated: dict[str, Evaluated], tmp_path: Path) -> None:
    before = evaluated["good"]
    before.save(tmp_path)
    after = Evaluated.load(tmp_path)
    assert after.evaluation == before.evaluation
    assert (after.resamples.images, after.resamples.seed) == (40, before.resamples.seed)
    assert after.resamples.per_class.keys() == before.resamples.per_class.keys()
    for name, score in before.resamples.scores.items():
        assert after.resamples.scores[name].value == score.value
        assert after.resamples.scores[name].resampled.tobytes() == score.resampled.tobytes()


def test_an_evaluation_that_could_not_be_made_comes_back_as_that(tmp_path: Path) -> None:
    Evaluated.nothing().save(tmp_path)
    assert Evaluated.load(tmp_path) == Evaluated.nothing()


def test_a_damaged_file_is_an_error_with_its_remedy(evaluated: dict[str, Evaluated], tmp_path: Path) -> None:
    evaluated["good"].save(tmp_path)
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(Florence2Error, match=r"holds no readable evaluation .* evaluate the model again"):
        Evaluated.load(tmp_path)
