"""Training batches: what the model sees and what the loss counts. Each test guards against a defect of a peer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from florence2.config import ModelConfig
from florence2.data.formats import read_dataset
from florence2.errors import DatasetError
from florence2.model.base import Florence2, load_base
from florence2.model.processing import IGNORED, Collator, Sample, check_answers_fit, check_prompts_fit, samples_of
from tests.builders import manifest, write_scenes


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig())


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return samples_of(read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"))).select("train"))


def test_padding_is_no_part_of_the_labels_and_hidden_by_the_mask(nano: Florence2, samples: list[Sample]) -> None:
    batch = Collator(nano.processor)(samples[:4])
    pad = nano.tokenizer.pad_token_id
    assert (batch["labels"] != pad).all()
    lengths = [len(nano.tokenizer(sample.suffix)["input_ids"]) for sample in samples[:4]]
    assert (batch["labels"] != IGNORED).sum(dim=1).tolist() == lengths
    assert len(set(lengths)) > 1
    assert torch.equal(batch["attention_mask"] == 0, batch["input_ids"] == pad)


def test_labels_are_the_answer_between_begin_and_end(nano: Florence2, samples: list[Sample]) -> None:
    labels = Collator(nano.processor)(samples[:1])["labels"][0].tolist()
    assert labels[0] == nano.tokenizer.bos_token_id
    assert labels[-1] == nano.tokenizer.eos_token_id
    assert nano.tokenizer.decode(labels[1:-1]) == samples[0].suffix


def test_the_loss_is_plain_cross_entropy_of_the_labels(nano: Florence2, samples: list[Sample]) -> None:
    """Earlier transformers shifted the labels a second time and trained every token on its successor's label."""
    batch = Collator(nano.processor)(samples[:4])
    nano.model.eval()
    with torch.no_grad():
        output = nano.model(**batch)
    by_hand = cross_entropy(output.logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED)
    torch.testing.assert_close(output.loss, by_hand, rtol=1e-5, atol=1e-6)


def test_the_loss_of_a_sample_does_not_depend_on_its_company(nano: Florence2, samples: list[Sample]) -> None:
    """Holds only if padding is masked on both sides: in the prompt and in the labels."""
    collate, pair = Collator(nano.processor), [samples[0], samples[1]]
    nano.model.eval()
    with torch.no_grad():
        together = nano.model(**collate(pair)).logits
        for index, sample in enumerate(pair):
            alone = nano.model(**collate([sample])).logits[0]
            torch.testing.assert_close(together[index, : len(alone)], alone, rtol=1e-4, atol=1e-4)


def test_answers_that_would_be_cut_are_named_by_file_and_line(nano: Florence2, tmp_path: Path) -> None:
    rows = read_dataset(write_scenes(tmp_path, train=2)).select("train")
    check_answers_fit(rows, nano, 1024)
    with pytest.raises(DatasetError, match=r"2 answers are longer than 7 tokens.*\n  train/annotations.jsonl:1: \d+"):
        check_answers_fit(rows, nano, 7)


def test_questions_that_do_not_fit_are_named_by_file_and_line(nano: Florence2) -> None:
    short, long = "<VQA>what is it?", "<VQA>" + "what is it? " * 400
    check_prompts_fit(manifest({"prefix": short, "task": "<VQA>"}), nano)
    with pytest.raises(DatasetError, match=r"1 prompts .* longer than 1024 tokens.*\n  train/annotations.jsonl:2: \d+"):
        check_prompts_fit(manifest({"prefix": short}, {"prefix": long}), nano)


def test_the_counted_prompt_is_the_encoded_one(nano: Florence2, samples: list[Sample]) -> None:
    batch = Collator(nano.processor)(samples[:2])
    counted = nano.count_prompt_tokens([sample.prefix for sample in samples[:2]])
    assert batch["attention_mask"].sum(dim=1).tolist() == counted


def test_a_blank_after_a_task_does_not_stop_the_count(nano: Florence2) -> None:
    assert nano.count_prompt_tokens(["<OD> "]) == nano.count_prompt_tokens(["<OD>"])


@pytest.mark.parametrize("prefix", ["<OD> ", "<VQA> what is it?"])
def test_blanks_around_a_prompt_do_no_harm(nano: Florence2, samples: list[Sample], prefix: str) -> None:
    tidy = replace(samples[0], prefix=prefix.strip().replace("> ", ">"))
    ours = Collator(nano.processor)([replace(samples[0], prefix=prefix)])["input_ids"]
    assert torch.equal(ours, Collator(nano.processor)([tidy])["input_ids"])
