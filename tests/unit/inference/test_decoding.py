"""Tokens are those of transformers' generation, with their probabilities under the model."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.config import EvaluationConfig, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.errors import ModelError
from florence2.images.files import open_rgb
from florence2.inference.generation import Prediction, predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample, samples_of
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return samples_of(read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=4, valid=2, test=2)))


def answers(nano: Florence2, samples: list[Sample], **options: Any) -> list[Prediction]:
    return list(predict(nano, samples, EvaluationConfig(**{"max_new_tokens": 24} | options)))


def test_greedy_answers_are_those_of_transformers(nano: Florence2, samples: list[Sample]) -> None:
    processor: Any = nano.processor
    model: Any = nano.model
    for sample, ours in zip(samples[:4], answers(nano, samples[:4], grammar="off"), strict=True):
        inputs = processor(images=open_rgb(sample.image), text=sample.prefix, return_tensors="pt")
        output = model.generate(**inputs, max_new_tokens=24, output_scores=True, return_dict_in_generate=True)
        text = processor.tokenizer.decode(output.sequences[0], skip_special_tokens=False)
        for token in ("<s>", "</s>", "<pad>"):
            text = text.replace(token, "")
        assert ours.text == text.strip()
        logs = model.compute_transition_scores(output.sequences, output.scores, normalize_logits=True)
        assert int(output.sequences[0, 1]) == processor.tokenizer.bos_token_id
        assert ours.score == pytest.approx(float(logs[0, 1:].exp().mean()), abs=1e-5)


def test_one_beam_and_several_score_the_same_answer_alike(nano: Florence2, samples: list[Sample]) -> None:
    greedy, beams = answers(nano, samples), answers(nano, samples, num_beams=3)
    equal = [(one, other) for one, other in zip(greedy, beams, strict=True) if one.text == other.text]
    assert len(equal) > len(samples) // 4
    for one, other in equal:
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_another_seed_samples_other_answers_and_little_probability_is_greedy(
    nano: Florence2, samples: list[Sample]
) -> None:
    first = [a.text for a in answers(nano, samples, temperature=1.5)]
    assert first == [a.text for a in answers(nano, samples, temperature=1.5)]
    assert first != [a.text for a in answers(nano, samples, temperature=1.5, generation_seed=1)]
    certain = answers(nano, samples, temperature=1.5, top_p=1e-9)
    assert [a.text for a in certain] == [a.text for a in answers(nano, samples)]


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(samples: list[Sample]) -> None:
    grown = load_base(ModelConfig(base="builtin:nano"))
    grown.tokenizer.add_tokens(["quokka"])
    with pytest.raises(ModelError, match=r"the tokenizer has \d+ tokens, the model has \d+"):
        answers(grown, samples[:1])


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
def test_adapters_answer_like_the_merged_model(samples: list[Sample]) -> None:
    """A validation in the middle of a training runs a model with adapters that are not merged."""
    from peft import LoraConfig, get_peft_model

    base = load_base(ModelConfig(base="builtin:nano"))
    words = {"shared": [100, 101]}  # PEFT wraps the output layer, to which they are tied
    adapters = LoraConfig(r=4, target_modules=["q_proj", "fc1"], init_lora_weights=False, trainable_token_indices=words)
    model: Any = get_peft_model(base.model, adapters)
    unmerged = answers(Florence2(model, base.processor), samples[:4])
    merged = answers(Florence2(model.merge_and_unload(), base.processor), samples[:4])
    assert [a.text for a in unmerged] == [a.text for a in merged]
    assert [a.text for a in merged] != [
        a.text for a in answers(load_base(ModelConfig(base="builtin:nano")), samples[:4])
    ]
