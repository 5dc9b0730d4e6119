"""A loaded model: images as Python has them, one or several, and what each is answered."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import florence2
from florence2 import Model, Prediction
from florence2.config import EvaluationConfig
from florence2.errors import AnswerError, ConfigurationError
from florence2.inference.generation import Predictor
from florence2.model.florence import Florence2
from florence2.sdk.images import ImageInput
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def nano() -> Model:
    return florence2.load("builtin:nano", device="cpu")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def files(scenes: Path) -> list[Path]:
    return [scenes / "test" / f"{number}.png" for number in range(3)]


def boxes(prediction: Prediction) -> list[tuple[str, float, list[float]]]:
    assert prediction.detections is not None
    return list(prediction.detections.rows())


def test_an_image_is_answered_alike_in_every_form(nano: Model, files: list[Path]) -> None:
    with Image.open(files[0]) as opened:
        image = opened.convert("RGB")
    forms: list[ImageInput] = [
        str(files[0]),
        files[0],
        image,
        np.asarray(image),
        np.dstack([np.asarray(image), np.full(image.size[::-1], 255, dtype=np.uint8)]),
    ]
    first, *others = nano.predict(forms)
    assert boxes(first)
    assert all(other == first or boxes(other) == boxes(first) for other in others)


def test_grey_and_rotated_images_are_read_as_viewers_show_them(nano: Model, tmp_path: Path) -> None:
    grey = np.full((40, 20), 128, dtype=np.uint8)
    (one, two) = nano.predict([grey, grey[:, :, None]], "<VQA>How many shapes are there?")
    assert one == two
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey).save(tmp_path / "turned.jpg", exif=exif)
    with Image.open(tmp_path / "turned.jpg") as turned:
        found = nano.detect(turned)
    assert (found.xyxy[:, [0, 2]] <= 40).all()
    assert (found.xyxy[:, [1, 3]] <= 20).all()


def test_one_image_gives_one_answer_and_several_a_list(nano: Model, files: list[Path]) -> None:
    alone = [nano.predict(file) for file in files]
    together = nano.predict(files, eval_batch_size=2)
    assert [boxes(answer) for answer in together] == [boxes(answer) for answer in alone]
    assert nano.predict([]) == []
    assert nano.predict(files[:1])[0] == alone[0]
    assert nano.detect(tuple(files))[1].class_name == nano.detect(files[1]).class_name


def test_an_engine_is_made_once_for_each_set_of_settings(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[EvaluationConfig] = []

    class Counted(Predictor):
        def __init__(self, model: Florence2, config: EvaluationConfig) -> None:
            made.append(config)
            super().__init__(model, config)

    monkeypatch.setattr("florence2.sdk.model.Predictor", Counted)
    model = florence2.load("builtin:nano", device="cpu")
    first = model.predict(files[0], max_new_tokens=8)
    assert model.predict(files[0], "<OD>", max_new_tokens=8) == first
    model.detect(files, max_new_tokens=8)
    assert [config.max_new_tokens for config in made] == [8]
    assert len(model.predict(files[0], "<VQA>How many?", max_new_tokens=1).text.split()) <= 1
    assert model.predict(files[0], max_new_tokens=8) == first
    assert [config.max_new_tokens for config in made] == [8, 1]


def test_a_model_that_was_trained_or_copied_answers_as_before(nano: Model, files: list[Path]) -> None:
    expected = boxes(nano.predict(files[0]))
    nano.florence2.model.train()
    assert boxes(nano.predict(files[0])) == expected
    assert not nano.florence2.model.training
    assert boxes(copy.deepcopy(nano).predict(files[0])) == expected


def test_threads_share_a_model(nano: Model, files: list[Path]) -> None:
    expected = [boxes(answer) for answer in nano.predict(files)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda file: boxes(nano.predict(file)), files * 4))
    assert found == expected * 4


def test_boxes_below_a_confidence_are_left_out(nano: Model, files: list[Path]) -> None:
    found = nano.detect(files[0])
    assert found.confidence is not None
    assert len(nano.detect(files[0], min_confidence=1.0)) == int((found.confidence >= 1.0).sum())
    with pytest.raises(ConfigurationError, match=r"evaluation\.min_confidence: .* less than or equal to 1, not 50"):
        nano.detect(files[0], min_confidence=50)


def test_a_prompt_without_boxes_is_not_detected(nano: Model, files: list[Path]) -> None:
    with pytest.raises(AnswerError, match="has no boxes with names; call predict"):
        nano.detect(files[0], "<VQA>How many?")
    with pytest.raises(AnswerError, match="starts with no task token"):
        nano.predict(files[0], "OD")


def test_settings_of_an_answer_are_checked(nano: Model, files: list[Path]) -> None:
    wrong: dict[str, Any] = {"beams": 3}
    with pytest.raises(
        ConfigurationError, match=r"beams: not a setting of generation; give one of eval_batch_size, num_b"
    ):
        nano.predict(files[0], **wrong)
    with pytest.raises(ConfigurationError, match=r"evaluation.num_beams: "):
        nano.predict(files[0], num_beams=0)
    assert len(nano.predict(files[0], "<VQA>How many?", max_new_tokens=1).text.split()) <= 1


def test_a_model_is_evaluated(nano: Model, scenes: Path) -> None:
    evaluation = nano.evaluate({"dataset": scenes, "max_new_tokens": 16, "resamples": 0}, "valid")
    other = florence2.evaluate("builtin:nano", {"dataset": scenes, "max_new_tokens": 16, "resamples": 0}, "valid")
    assert evaluation.metrics == other.metrics
    assert evaluation.counts["images"] == 4
    with pytest.raises(ConfigurationError, match="no split 'val'; give one of train, valid, test"):
        nano.evaluate({"dataset": scenes}, "val")
