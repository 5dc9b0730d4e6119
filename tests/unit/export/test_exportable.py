"""What is exported has a card and the facts that a hub reads."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import ModelCard

from florence2.codec import task_table
from florence2.config import ModelConfig, TaskConfig
from florence2.export.exportable import Exportable, hub_facts, load_exportable
from florence2.model.base import load_base
from florence2.model.own_tasks import add_tasks
from florence2.reports import HubFacts


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


def test_the_card_of_every_format_loads_with_a_prompt_of_the_users_own(tmp_path: Path) -> None:
    nano = load_base(ModelConfig(base="builtin:nano"))
    add_tasks(nano, task_table({"<RECEIPT>": TaskConfig(answer="json")}))
    exportable = Exportable(nano, "# receipts", HubFacts(None, "mit", ["<RECEIPT>"]))
    numbers = {"start": 2, "end": 2, "longest": 64, "difference": "1e-6", "answers": 3}
    exportable.write_card(tmp_path, "receipts", "load_onnx.md", **numbers)
    text = (tmp_path / "README.md").read_text()
    assert "<RECEIPT>" in text
    assert "<OD>" not in text
