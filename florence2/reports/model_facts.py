"""What can be exported: a model with what is known of it, found by the name that a person types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from florence2.config import Configuration, ModelConfig
from florence2.errors import ConfigurationError, Florence2Error
from florence2.evaluation import EvaluationReport, public_name
from florence2.model import BUILTIN_MODELS, Checkpoint, Florence2, checkpoint_named, load_base
from florence2.reports.model_card import render_run_card, tasks_of
from florence2.storage import RunFiles, redact

__all__ = ["Exportable", "HubFacts", "hub_facts", "load_exportable"]

_OF_MICROSOFT = ("florence-community/", "microsoft/")
"""Owners on the hub whose Florence-2 are Microsoft's, under the MIT licence."""


@dataclass(frozen=True)
class HubFacts:
    """What a hub reads in the head of a model card.

    Attributes:
        base_model: hub id of the base; None where it has none.
        license: identifier of the licence, as a hub spells it.
        tasks: task tokens that the model was trained for, the first one first.
        metrics: scores on the test split by name.
        dataset: what the data set is called; empty where that is not known.
    """

    base_model: str | None
    license: str
    tasks: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: str = ""


@dataclass(frozen=True)
class Exportable:
    """A model that can be exported.

    Attributes:
        florence2: with its adapters merged.
        card: Markdown that says what it is; begins with a title.
        facts: what a hub wants to know.
    """

    florence2: Florence2
    card: str
    facts: HubFacts


def load_exportable(name: str, title: str, revision: str | None = None) -> Exportable:
    """Load a model with what is known of it.

    Args:
        name: ``builtin:nano``, the folder of a saved model, of a checkpoint or of a run, or a hub id.
        title: what its card calls it.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    checkpoint = checkpoint_named(name)
    if checkpoint is None:
        florence2 = load_base(ModelConfig(base=name, revision=revision))
        return Exportable(florence2, _render_base_card(title, public_name(name)), hub_facts(name))
    run = _run_of(checkpoint.folder)
    if run is None:
        return Exportable(checkpoint.load(), _render_checkpoint_card(title, checkpoint), hub_facts(checkpoint.base))
    report, settings = run
    dataset = public_name(redact(settings.dataset.source))
    card = render_run_card(title, checkpoint, report, settings.training, dataset)
    facts = hub_facts(checkpoint.base, tasks_of(report), report.after.metrics, dataset)
    return Exportable(checkpoint.load(), card, facts)


def hub_facts(
    base: str, tasks: Sequence[str] = (), metrics: Mapping[str, float] | None = None, dataset: str = ""
) -> HubFacts:
    """Return what a hub wants to know of a model that was trained from a base.

    The licence is that of the base: what is made from it stays under it. A folder says it in its own card.
    """
    given = metrics or {}
    if base in BUILTIN_MODELS:
        return HubFacts(None, "apache-2.0", tasks, given, dataset)
    if Path(base).is_dir():
        head = _head_of(Path(base) / "README.md")
        return HubFacts(head.get("base_model"), head.get("license") or "unknown", tasks, given, dataset)
    known = base if base.count("/") == 1 and not Path(base).is_absolute() else None
    return HubFacts(known, "mit" if base.startswith(_OF_MICROSOFT) else "unknown", tasks, given, dataset)


def _run_of(checkpoint: Path) -> tuple[EvaluationReport, Configuration] | None:
    """Return report and settings of the run whose best epoch a checkpoint is; None where they are gone or damaged."""
    import yaml

    run = checkpoint.parent.parent
    if checkpoint != run / RunFiles.BEST_CHECKPOINT:
        return None  # the report is not about the last epoch
    try:
        values = yaml.safe_load((run / RunFiles.CONFIGURATION).read_text(encoding="utf-8"))["parameters"]
        return EvaluationReport.load(run / RunFiles.REPORT), Configuration(**values)
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, ConfigurationError, Florence2Error):
        return None


def _head_of(card: Path) -> dict[str, Any]:
    """Return what stands in the head of a model card; nothing where there is no such card."""
    import yaml
    from huggingface_hub import ModelCard

    try:
        head: dict[str, Any] = ModelCard.load(card).data.to_dict()
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return head


def _render_checkpoint_card(title: str, checkpoint: Checkpoint) -> str:
    measured = "".join(f"- {name}: {value:.4g}\n" for name, value in sorted(checkpoint.metrics.items()))
    return (
        f"# {title}\n\nA Florence-2, fine-tuned from {public_name(checkpoint.base)} (content "
        f"`{checkpoint.base_fingerprint[:12]}`) by the strategy {checkpoint.strategy}; kept: epoch "
        f"{checkpoint.epoch:g}.\n\n## Results\n\nOf its run no report was found. On the validation split, by which its "
        f"epoch was chosen:\n\n{measured or '- nothing'}\n"
        "## Limits\n\nIt was measured on no test split: how good it is on other images is not known.\n"
    )


def _render_base_card(title: str, name: str) -> str:
    return (
        f"# {title}\n\nThe weights of {name} as they are, written again by florence2-finetune: nothing was trained, "
        "and nothing was measured.\n\n## Limits\n\nThose of the original; see its own card.\n"
    )
