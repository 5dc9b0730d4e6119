"""What is exported has a card and the facts that a hub reads."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import ModelCard

from florence2.export.exportable import hub_facts, load_exportable


def test_the_card_describes_the_model_to_people_and_to_a_hub(exported: Path) -> None:
    card = ModelCard.load(exported / "README.md")
    data = card.data
    assert (data.license, data.library_name, data.pipeline_tag) == ("apache-2.0", "transformers", "image-text-to-text")
    assert data.metrics == ["map50"]
    assert data.tags == ["florence-2", "florence2-finetune", "object-detection", "visual-question-answering"]
    (result,) = data.eval_results
    assert (result.dataset_name, result.metric_value) == ("builtin:cards", 0.82)
    for line in (
        "# stars",
        "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) |",
        "3 epochs of batches of 4",
        "Classes in the test split: t-shirt.",
        "builtin:cards; fingerprint of all splits `abc123`",
        "fewer than 30 images",
    ):
        assert line in card.text
    assert str(exported.parent) not in card.content


def test_the_licence_is_that_of_the_base(exported: Path) -> None:
    assert hub_facts("florence-community/Florence-2-base").license == "mit"
    assert hub_facts("florence-community/Florence-2-base").base_model == "florence-community/Florence-2-base"
    assert hub_facts("somebody/Florence").license == "unknown"
    assert hub_facts("builtin:nano").base_model is None
    assert hub_facts(str(exported)).license == "apache-2.0"
    assert hub_facts(str(exported.parent)).license == "unknown"


def test_a_checkpoint_without_its_run_states_that_nothing_was_measured_on_a_test_split(
    trained_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "alone").symlink_to(trained_run / "checkpoints" / "best")
    card = load_exportable(str(tmp_path / "alone"), "alone").card
    assert "measured on no test split" in card
