"""What is exported: a model, found by the name that a user types, with its card and the facts that a hub reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.config import Configuration, ModelConfig
from florence2.errors import ConfigurationError, Florence2Error
from florence2.evaluation import EvaluationReport, public_name
from florence2.model import BUILTIN_MODELS, Florence2, checkpoint_named, load_base
from florence2.reports import HubFacts, render_base_card, render_checkpoint_card, render_hub_card, render_run_card
from florence2.storage import RunFiles, redact

__all__ = ["Exportable", "hub_facts", "load_exportable"]

_OF_MICROSOFT = ("florence-community/", "microsoft/")
"""Owners on the hub whose models of this kind are Microsoft's, under the MIT licence."""


@dataclass(frozen=True)
class Exportable:
    """A model that can be exported.

    Attributes:
        florence2: the model, its adapters merged.
        card: its model card in Markdown; begins with a title.
        facts: for the head of the card, which hubs read.
    """

    florence2: Florence2
    card: str
    facts: HubFacts

    def write_card(self, folder: Path, name: str, loading: str, **values: Any) -> None:
        """Write the ``README.md`` of an exported folder.

        Args:
            folder: to write to.
            name: of the folder when it is complete.
            loading: template of the part on how to load it, such as ``load_transformers.md``.
            values: for that template.
        """
        card = render_hub_card(name, self.card, self.facts, loading, self.florence2.tasks, **values)
        (folder / "README.md").write_text(card, encoding="utf-8")


def load_exportable(name: str, title: str, revision: str | None = None) -> Exportable:
    """Load a model with its card.

    Args:
        name: ``builtin:nano``, the folder of a saved model, of a checkpoint or of a run, or a hub id.
        title: of the card.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    checkpoint = checkpoint_named(name)
    if checkpoint is None:
        florence2 = load_base(ModelConfig(base=name, revision=revision))
        return Exportable(florence2, render_base_card(title, public_name(name)), hub_facts(name))
    run = _run_of(checkpoint.folder)
    if run is None:
        return Exportable(checkpoint.load(), render_checkpoint_card(title, checkpoint), hub_facts(checkpoint.base))
    report, settings = run
    dataset = public_name(redact(settings.dataset.source))
    card = render_run_card(title, checkpoint, report, settings.training, dataset)
    facts = hub_facts(checkpoint.base, report.task_tokens, report.after.metrics, dataset)
    return Exportable(checkpoint.load(), card, facts)


def hub_facts(
    base: str, tasks: Sequence[str] = (), metrics: Mapping[str, float] | None = None, dataset: str = ""
) -> HubFacts:
    """Return the facts that a hub reads about a model that was trained from a base.

    The licence is that of the base, which applies to what is made from it. The licence of a folder is read from its
    card.

    Args:
        base: name of the base: built-in, a folder or a hub id.
        tasks: task tokens that the model was trained for.
        metrics: scores on the test split by name.
        dataset: name of the data set.
    """
    scores = metrics or {}
    if base in BUILTIN_MODELS:
        return HubFacts(None, "apache-2.0", tasks, scores, dataset)
    if Path(base).is_dir():
        head = _head_of(Path(base) / "README.md")
        return HubFacts(head.get("base_model"), head.get("license") or "unknown", tasks, scores, dataset)
    known = base if base.count("/") == 1 and not Path(base).is_absolute() else None
    return HubFacts(known, "mit" if base.startswith(_OF_MICROSOFT) else "unknown", tasks, scores, dataset)


def _run_of(checkpoint: Path) -> tuple[EvaluationReport, Configuration] | None:
    """Return report and settings of the run whose best checkpoint this is; None where they are missing or damaged."""
    import yaml

    run = checkpoint.parent.parent
    if checkpoint != run / RunFiles.BEST_CHECKPOINT:
        return None  # the report is about the best epoch, not about the last one
    try:
        values = yaml.safe_load((run / RunFiles.CONFIGURATION).read_text(encoding="utf-8"))["parameters"]
        return EvaluationReport.load(run / RunFiles.REPORT), Configuration(**values)
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, ConfigurationError, Florence2Error):
        return None


def _head_of(card: Path) -> dict[str, Any]:
    """Return the values in the head of a model card; none where there is no such card."""
    import yaml
    from huggingface_hub import ModelCard

    try:
        head: dict[str, Any] = ModelCard.load(card).data.to_dict()
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return head
