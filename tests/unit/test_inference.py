"""Answers and their scores: the same in any batch, and read as the codec reads them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.answers import parse_detections
from florence2.config import EvaluationConfig, ModelConfig
from florence2.data.formats import read_dataset
from florence2.inference.generation import predict
from florence2.inference.scoring import TokenReader, score_detections
from florence2.model.base import Florence2, load_base
from florence2.model.processing import Sample, samples_of
from tests.builders import write_scenes

WORDS = ("cat", " t-shirt", " of", "9")
READER = TokenReader({100 + i: 250 * i for i in range(4)}, lambda ids: "".join(WORDS[i] for i in ids))
TOKENS = st.one_of(st.integers(0, len(WORDS) - 1), st.integers(100, 103))


@given(st.lists(st.tuples(TOKENS, st.floats(0, 1)), max_size=40))
def test_scored_boxes_are_those_that_the_codec_parses(answer: list[tuple[int, float]]) -> None:
    ids, probabilities = [token for token, _ in answer], [p for _, p in answer]
    text = "".join(f"<loc_{READER.location_of[i]}>" if i >= 100 else WORDS[i] for i in ids)
    scored, parsed = score_detections(ids, probabilities, READER, (640, 480)), parse_detections(text, (640, 480))
    assert scored.class_name == parsed.class_name
    np.testing.assert_array_equal(scored.xyxy, parsed.xyxy)
    assert scored.confidence is not None
    assert ((scored.confidence >= 0) & (scored.confidence <= 1)).all()


def test_a_score_is_the_mean_probability_of_the_class_tokens() -> None:
    found = score_detections([0, 1, 100, 101, 102, 103], [0.5, 0.7, 0.1, 0.1, 0.1, 0.1], READER, (10, 10))
    assert found.confidence is not None
    np.testing.assert_allclose(found.confidence, [0.6], rtol=1e-6)


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig())


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return samples_of(read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"))))


def test_answers_do_not_depend_on_batch_size_or_order(nano: Florence2, samples: list[Sample]) -> None:
    alone = list(predict(nano, samples, EvaluationConfig(eval_batch_size=1, max_new_tokens=24)))
    together = list(predict(nano, samples[::-1], EvaluationConfig(eval_batch_size=7, max_new_tokens=24)))[::-1]
    assert [a.text for a in alone] == [b.text for b in together]
    for one, other in zip(alone, together, strict=True):
        if one.detections is not None and other.detections is not None:
            np.testing.assert_allclose(one.detections.confidence, other.detections.confidence, atol=1e-4)  # type: ignore[arg-type]


def test_boxes_are_asked_for_boxes_and_questions_for_text(nano: Florence2, samples: list[Sample]) -> None:
    answers = predict(nano, samples[:2], EvaluationConfig(max_new_tokens=24))
    detection, question = answers
    assert detection.detections is not None
    assert question.detections is None
    assert "<s>" not in question.text
    assert "</s>" not in question.text


def test_a_picture_may_be_bytes(nano: Florence2, samples: list[Sample]) -> None:
    assert isinstance(samples[0].image, Path)
    stream = Sample(io.BytesIO(samples[0].image.read_bytes()), samples[0].prefix, "", samples[0].resolution_wh)
    config = EvaluationConfig(max_new_tokens=24)
    assert next(predict(nano, [stream], config)).text == next(predict(nano, samples[:1], config)).text


@pytest.mark.parametrize("beams", [1, 3])
def test_beams_give_scores_too(nano: Florence2, samples: list[Sample], beams: int) -> None:
    config = EvaluationConfig(num_beams=beams, max_new_tokens=24)
    for prediction in predict(nano, samples[:6:2], config):
        assert prediction.detections is not None
        assert prediction.detections.confidence is not None
        assert ((prediction.detections.confidence > 0) & (prediction.detections.confidence <= 1)).all()
