"""What the page shows of an answer, and how the command ends that cannot show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.codec import task_table
from florence2.codec.detections import Detections
from florence2.codec.tasks import AnswerKind
from florence2.config import EvaluationConfig, ModelConfig, TaskConfig
from florence2.errors import AnswerError, DatasetError
from florence2.images.drawing import class_colours
from florence2.inference.generation import Prediction, Predictor
from florence2.model.base import load_base
from florence2.model.own_tasks import add_tasks
from florence2.serving.demo.answer import answer_prompt, show
from tests.builders import write_stars

IMAGE = Image.new("RGB", (1440, 720))

TRIANGLE = "<loc_0><loc_0><loc_500><loc_0><loc_500><loc_500>"


def test_a_large_image_is_scaled_down_and_corners_stay_those_of_the_upload() -> None:
    box = Detections(np.array([[144, 72, 720, 360]], np.float32), ("cat",), np.array([0.5], np.float32))
    (shown,) = show(IMAGE, AnswerKind.BOXES, [Prediction("as written", box, score=0.25, malformed=1)])
    assert shown.image.size == (720, 360)
    assert shown.image.getpixel((73, 100)) == tuple(bytes.fromhex(class_colours(["cat"])["cat"][1:]))
    assert shown.rows == [["cat", "0.50", "144,72 720,360"]]
    assert shown.text == "as written"
    assert shown.note == "mean probability of its tokens 0.25; 1 parts of the answer are not boxes"


def test_a_class_that_the_training_never_saw_is_marked() -> None:
    box = Detections(np.array([[144, 72, 720, 360]], np.float32), ("cat",), np.array([0.5], np.float32))
    (shown,) = show(IMAGE, AnswerKind.BOXES, [Prediction("", box, unseen=frozenset({"cat"}))])
    assert shown.rows == [["cat (unseen)", "0.50", "144,72 720,360"]]
    assert shown.note.endswith("; unseen: a class that the training never saw")


def test_texts_and_outlines_are_shown_too() -> None:
    quad = "Tax<loc_0><loc_0><loc_500><loc_0><loc_500><loc_100><loc_0><loc_90>"
    (text,) = show(IMAGE, AnswerKind.QUADS, [Prediction(quad, None)])
    assert text.rows == [["Tax", "", "1,0 721,0 721,72 1,65"]]
    (outline,) = show(IMAGE, AnswerKind.POLYGONS, [Prediction(TRIANGLE, None)])
    assert outline.rows == [["outline", "", "1,0 721,0 721,360"]]
    assert outline.image.getpixel((180, 90)) != (0, 0, 0)
    (words,) = show(IMAGE, AnswerKind.TEXT, [Prediction("a cat", None, truncated=True)])
    assert words.rows is None
    assert words.note.endswith("; cut at the length limit")


def test_a_name_has_one_colour_in_the_answers_of_all_models() -> None:
    found = [Detections(np.array([[0, 0, 1440, 720]], np.float32), (name,)) for name in ("dog", "cat")]
    dog, cat = (s.image for s in show(IMAGE, AnswerKind.BOXES, [Prediction("", each) for each in found]))
    colours = {name: tuple(bytes.fromhex(code[1:])) for name, code in class_colours(["cat", "dog"]).items()}
    assert dog.getpixel((0, 300)) == colours["dog"] != colours["cat"] == cat.getpixel((0, 300))


def test_a_model_answers_a_prompt(tmp_path: Path) -> None:
    image = write_stars(tmp_path, each=1) / "test" / "red-star-0.png"
    models = [Predictor(load_base(ModelConfig(base="builtin:nano")), EvaluationConfig(max_new_tokens=40))]
    (shown,) = answer_prompt(models, image, "<OD>")
    assert shown.rows is not None
    assert "red star" in {name for name, _, _ in shown.rows}
    (none,) = answer_prompt(models, image, "<OD>", min_confidence=1.0)
    assert none.rows == [row for row in shown.rows if float(row[1]) >= 1.0]
    with pytest.raises(AnswerError, match="needs a text after <VQA>"):
        answer_prompt(models, image, "<VQA>")
    (tmp_path / "no.png").write_bytes(b"no")
    with pytest.raises(DatasetError, match=r"no\.png"):
        answer_prompt(models, tmp_path / "no.png", "<OD>")


def test_a_model_answers_its_own_tasks_and_says_what_is_no_json(tmp_path: Path) -> None:
    image = next(write_stars(tmp_path, each=1).rglob("*.png"))
    model, other = load_base(ModelConfig(base="builtin:nano")), load_base(ModelConfig(base="builtin:nano"))
    add_tasks(model, task_table({"<RECEIPT>": TaskConfig(answer="json", new_token=True)}))
    config = EvaluationConfig(max_new_tokens=4)
    (shown,) = answer_prompt([Predictor(model, config)], image, "<RECEIPT>")
    assert shown.rows is None
    assert shown.note.endswith("the answer is no JSON object")
    with pytest.raises(AnswerError, match="starts with no task token"):
        answer_prompt([Predictor(other, config)], image, "<RECEIPT>")
