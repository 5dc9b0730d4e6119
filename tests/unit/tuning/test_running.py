"""A trial trains, ends below a floor, fails, and continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import Configuration, EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import ingest
from florence2.errors import ConfigurationError
from florence2.tuning.running import TrialData, measure_pace, run_trial
from florence2.tuning.trial import Trial
from tests.builders import write_scenes

TRAINING = TrainingConfig(
    epochs=2,
    batch_size=8,
    learning_rate=1e-3,
    best_by="map50",
    preview=0,
    engine={"loader_workers": 0},
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrialData:
    folder = tmp_path_factory.mktemp("data")
    write_scenes(folder, train=8, valid=4, test=0)
    splits = ingest(Configuration(dataset=folder).dataset)
    return TrialData(splits, ModelConfig(base="builtin:nano"), EvaluationConfig(max_new_tokens=16, resamples=20))


def test_a_trial_has_a_score_for_each_epoch_and_one_for_each_resample(data: TrialData, tmp_path: Path) -> None:
    trial = Trial(number=1, params={}, training=TRAINING, floors={1: 0.0})
    ended = run_trial(trial, data, tmp_path / "trial")
    assert ended.state == "complete"
    assert len(ended.scores) == 2
    assert len(ended.resampled) == 20
    assert ended.seconds > 0


def test_a_trial_below_a_floor_ends_there(data: TrialData, tmp_path: Path) -> None:
    trial = Trial(number=1, params={}, training=TRAINING, floors={1: 0.9})
    ended = run_trial(trial, data, tmp_path / "trial")
    assert (ended.state, len(ended.scores), ended.resampled) == ("pruned", 1, ())


def test_a_loss_may_not_be_above_a_floor(data: TrialData, tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"best_by": "loss"})
    ended = run_trial(Trial(number=1, params={}, training=training, floors={1: 1e-3}), data, tmp_path / "trial")
    assert (ended.state, len(ended.scores)) == ("pruned", 1)


def test_a_trial_that_diverges_fails_with_its_reason(data: TrialData, tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"learning_rate": 1e30, "warmup": 0.0})
    ended = run_trial(Trial(number=1, params={}, training=training), data, tmp_path / "trial")
    assert (ended.state, ended.scores) == ("failed", ())
    assert "is NaN or infinite" in ended.failure


def test_a_trial_whose_result_was_not_stored_is_not_trained_again(
    data: TrialData, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trial = Trial(number=1, params={}, training=TRAINING)
    first = run_trial(trial, data, tmp_path / "trial")
    (tmp_path / "trial" / "seconds.json").write_text("1000.0", encoding="utf-8")
    with caplog.at_level("INFO", logger="florence2"):
        again = run_trial(trial, data, tmp_path / "trial")
    assert "has ended before: nothing is trained" in caplog.text
    assert (again.scores, again.resampled) == (first.scores, first.resampled)
    assert 1000 < again.seconds < 2000, "the time before the pause counts"


def test_the_pace_is_that_of_an_epoch(data: TrialData, tmp_path: Path) -> None:
    pace = measure_pace(TRAINING, data, tmp_path / "pace", 600)
    assert 0 < pace.seconds_per_epoch < pace.spent
    assert not (tmp_path / "pace").exists()


def test_a_training_that_is_too_slow_for_the_time_says_so_early(data: TrialData, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"minutes are too few: \d+ steps took"):
        measure_pace(TRAINING, data, tmp_path / "pace", 1e-6)
