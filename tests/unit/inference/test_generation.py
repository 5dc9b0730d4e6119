"""Answers are the same in any batch, order and company, however they are decoded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from florence2.codec.answers import parse_detections
from florence2.config import Configuration, EvaluationConfig, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.errors import AnswerError, ConfigurationError, DatasetError, ModelError
from florence2.inference.decoding import Decoder
from florence2.inference.generation import Prediction, predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample, samples_of
from tests.builders import write_image, write_scenes

DECODING: dict[str, dict[str, Any]] = {
    "greedy": {},
    "beams": {"num_beams": 3},
    "sampling": {"temperature": 1.0, "top_p": 0.9},
    "free": {"grammar": "off"},
    "classes": {"grammar": "classes", "classes": ("red circle", "blue square", "striped green ring")},
    "classes with beams": {"grammar": "classes", "classes": ("red circle", "blue square"), "num_beams": 3},
}


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return samples_of(read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=4, valid=2, test=2)))


def answers(nano: Florence2, samples: list[Sample], **options: Any) -> list[Prediction]:
    return list(predict(nano, samples, EvaluationConfig(**{"max_new_tokens": 24} | options)))


@pytest.mark.parametrize("options", DECODING.values(), ids=DECODING)
def test_answers_do_not_depend_on_batch_size_order_or_padding(
    nano: Florence2, samples: list[Sample], options: dict[str, Any]
) -> None:
    alone = answers(nano, samples, eval_batch_size=1, **options)
    together = answers(nano, samples[::-1], eval_batch_size=7, **options)[::-1]
    assert [a.text for a in alone] == [b.text for b in together]
    for one, other in zip(alone, together, strict=True):
        assert (one.truncated, one.malformed) == (other.truncated, other.malformed)
        assert one.score == pytest.approx(other.score, abs=1e-5)
        if one.detections is not None and other.detections is not None:
            np.testing.assert_allclose(one.detections.confidence, other.detections.confidence, atol=1e-5)  # type: ignore[arg-type]
            np.testing.assert_array_equal(one.detections.xyxy, other.detections.xyxy)


def test_a_detection_has_boxes_and_a_question_has_text(nano: Florence2, samples: list[Sample]) -> None:
    detection, question = answers(nano, samples[:2])
    assert detection.detections is not None
    assert question.detections is None
    assert "<s>" not in question.text
    assert "</s>" not in question.text
    assert detection.detections.class_name == parse_detections(detection.text, (64, 64)).class_name


def test_a_cut_answer_says_so(nano: Florence2, samples: list[Sample]) -> None:
    cut = answers(nano, samples[:1], max_new_tokens=3)[0]
    assert cut.truncated
    assert cut.malformed == 1
    whole = answers(nano, samples[:1], max_new_tokens=60)[0]
    assert not whole.truncated
    assert whole.malformed == 0


def test_boxes_below_the_least_confidence_are_left_out_of_the_answer_but_not_of_its_text(
    nano: Florence2, samples: list[Sample]
) -> None:
    (whole,) = answers(nano, samples[:1])
    assert whole.detections is not None
    assert whole.detections.confidence is not None
    highest = float(whole.detections.confidence.max())
    (found,) = answers(nano, samples[:1], min_confidence=highest)
    assert found.detections is not None
    assert 1 <= len(found.detections) == int((whole.detections.confidence >= np.float32(highest)).sum())
    assert (found.text, found.malformed) == (whole.text, whole.malformed)


def test_classes_that_the_training_never_saw_are_marked_where_it_is_recorded(samples: list[Sample]) -> None:
    florence2 = load_base(ModelConfig(base="builtin:nano"))
    assert not answers(florence2, samples[:1])[0].unseen  # a base has no record
    (before,) = answers(florence2, samples[:1])
    assert before.detections is not None
    florence2.record_classes(before.detections.class_name[:1])
    (found,) = answers(florence2, samples[:1])
    assert found.detections is not None
    assert found.unseen == set(found.detections.class_name) - {found.detections.class_name[0]}
    florence2.model.config.trained_classes = []
    (found,) = answers(florence2, samples[:1])
    assert all(box["unseen"] for box in found.to_dict()["boxes"])
    assert Prediction.from_dict(found.to_dict()).unseen == found.unseen


def test_a_grammar_of_classes_lets_only_them_through(nano: Florence2, samples: list[Sample]) -> None:
    for beams in (1, 3):
        options = DECODING["classes"] | {"num_beams": beams}
        found = [a.detections for a in answers(nano, samples, **options) if a.detections is not None]
        names = {name for detections in found for name in detections.class_name}
        assert names <= set(options["classes"])
    free = {name for a in answers(nano, samples) if a.detections for name in a.detections.class_name}
    assert not free <= set(DECODING["classes"]["classes"])


def test_an_image_with_two_prompts_is_encoded_once(
    nano: Florence2, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode_images = Decoder.encode_images

    def counted(self: Decoder, pixels: Any) -> Any:
        encoded.append(len(pixels))
        return encode_images(self, pixels)

    monkeypatch.setattr(Decoder, "encode_images", counted)
    answers(nano, samples)
    assert sum(encoded) == len({sample.image for sample in samples}) < len(samples)


def test_an_image_may_be_bytes(nano: Florence2, samples: list[Sample]) -> None:
    assert isinstance(samples[0].image, Path)
    stream = Sample(io.BytesIO(samples[0].image.read_bytes()), samples[0].prefix, "", samples[0].resolution_wh)
    assert answers(nano, [stream])[0].text == answers(nano, samples[:1])[0].text


def test_the_first_answer_is_yielded_before_all_images_are_read(
    nano: Florence2, samples: list[Sample], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    rows = [*samples[:8], Sample(broken, "<OD>", "", (1, 1))]
    predictions = predict(nano, rows, EvaluationConfig(eval_batch_size=1, max_new_tokens=4))
    assert next(predictions).text
    with pytest.raises(DatasetError, match=r"broken\.png: unreadable"):
        list(predictions)


@pytest.mark.parametrize(
    ("prefix", "message"), [("<ODD>", "starts with no task token"), ("<VQA>", "needs a text"), ("<OD>x", "no text")]
)
def test_a_wrong_prompt_is_named_before_any_work(nano: Florence2, tmp_path: Path, prefix: str, message: str) -> None:
    image = write_image(tmp_path / "a.png")
    with pytest.raises(AnswerError, match=message):
        answers(nano, [Sample(image, "<OD>", "", (20, 10)), Sample(image, prefix, "", (20, 10))])


def test_a_prompt_that_is_too_long_is_named(nano: Florence2, samples: list[Sample]) -> None:
    sample = Sample(samples[0].image, "<VQA>" + "what " * 2000, "", (64, 64))
    with pytest.raises(AnswerError, match=r"prompt '<VQA>what .*tokens with the image, the model reads"):
        answers(nano, [sample])


def test_another_models_tokenizer_is_refused(nano: Florence2, samples: list[Sample]) -> None:
    class Processor:
        image_processor = nano.processor.image_processor

        class tokenizer:  # noqa: N801
            unk_token_id = 3

            @staticmethod
            def convert_tokens_to_ids(tokens: list[str]) -> list[int]:
                return [3 for _ in tokens]

    with pytest.raises(ModelError, match="not Florence-2's"):
        answers(Florence2(nano.model, Processor()), samples[:1])  # type: ignore[arg-type]


def test_no_samples_no_answers(nano: Florence2) -> None:
    assert answers(nano, []) == []


@pytest.mark.parametrize("wrong", [{"temperature": 1, "num_beams": 2}, {"grammar": "classes"}, {"top_p": 0}])
def test_settings_that_exclude_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Configuration(**wrong)
