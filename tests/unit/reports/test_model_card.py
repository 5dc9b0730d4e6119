"""The cards of models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.model.checkpoint import Checkpoint
from florence2.reports.model_card import render_base_card, render_checkpoint_card, render_run_card
from tests.registration import CONFIG, REPORT

CHECKPOINT = Checkpoint(Path("gone"), "lora", "builtin:nano", None, "0123456789abcdef", 2.0, {"map50": 0.5})


def test_the_card_of_a_run_has_scores_with_intervals_and_the_weakest_classes_escaped() -> None:
    card = render_run_card("stars", CHECKPOINT, REPORT, CONFIG.training, "cards")
    assert card.startswith("# stars\n")
    assert "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) |" in card
    assert "cat &lt;b&gt; 0.400, dog 0.900." in card
    assert "cards; fingerprint of all splits" in card


def test_the_first_sentence_of_a_card_says_what_the_model_is_worth() -> None:
    guessed = BaselineScores({"map50": 0.8}, {"map50": Comparison(0.02, Interval(-0.02, 0.06), 0.7)})
    report = replace(REPORT, after=replace(REPORT.after, baseline=guessed))
    card = render_run_card("stars", CHECKPOINT, report, CONFIG.training, "cards")
    assert card.startswith("# stars\n\n**This model is worth nothing: answers without seeing the image score as well")
    assert "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) | 0.800 |" in card
    assert "|---|---|---|---|---|\n|" in card


def test_the_card_of_a_checkpoint_without_its_run_has_the_scores_of_the_validation() -> None:
    card = render_checkpoint_card("alone", CHECKPOINT)
    assert "- map50: 0.5\n" in card
    assert "measured on no test split" in card


def test_the_card_of_a_base_states_that_nothing_was_trained() -> None:
    assert "nothing was trained" in render_base_card("mine", "builtin:nano")
