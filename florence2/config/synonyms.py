"""Names that other fine-tuning tools have for our settings, so that a command or a dict of theirs works here.

They are those of roboflow/maestro, whose command is ``maestro florence_2 train``, and ``conf`` of Ultralytics. A
setting of theirs that has no equivalent raises an error that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from florence2.config.tasks import nested_tasks
from florence2.errors import ConfigurationError

__all__ = [
    "METRICS_WITHOUT_EQUIVALENT",
    "OUTPUT",
    "SYNONYMS",
    "WITHOUT_EQUIVALENT",
    "rename_earlier_sections",
    "synonyms_of",
    "translate_synonyms",
]

SYNONYMS: dict[str, str] = {
    "accumulate_grad_batches": "gradient_accumulation",
    "conf": "min_confidence",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "lora_r": "rank",
    "lr": "learning_rate",
    "lr_scheduler": "schedule",
    "model_id": "base",
    "num_workers": "loader_workers",
    "optimization_strategy": "strategy",
    "random_seed": "seed",
    "val_batch_size": "eval_batch_size",
}
"""Their name of each setting, and ours."""

_EARLIER_SECTIONS: dict[str, str] = {"pictures": "images"}
"""Earlier names of sections, and the present ones."""

OUTPUT = "output_dir"
"""Their name of the folder of runs, which is not a setting here: the option ``--output``, the argument of ``train``."""

WITHOUT_EQUIVALENT: dict[str, str] = {
    "bias": "biases are trained where their layer is; leave it out",
    "cache_dir": "models are cached where the hub's client keeps them; set the variable HF_HOME",
    "device": "all GPUs of the machine are used; choose some by the variable CUDA_VISIBLE_DEVICES, or none by an "
    "empty value",
    "init_lora_weights": "adapters start as a zero update (arXiv 2106.09685); leave it out",
    "optimizer": "the optimizer is AdamW; leave it out",
    "peft_advanced_params": "adapters are set by rank, alpha, dropout, variant and targets",
    "use_rslora": "set variant to rslora or to lora",
    "val_num_workers": "training and validation share their processes; set loader_workers",
    OUTPUT: "give the folder of runs as train(configuration, output), on the command line as --output",
}
"""Settings of theirs without an equivalent, and what to do instead."""

METRICS_WITHOUT_EQUIVALENT: dict[str, str] = {
    "edit_distance": "it compares raw answers with their location tokens; use character_error_rate for texts and "
    "mean_average_precision for boxes",
}
"""Metrics of theirs that do not exist here, and which to use instead."""

_VALUES: dict[str, dict[str, str]] = {"strategy": {"none": "full"}}
"""Their values of our settings, and our values."""


def synonyms_of(setting: str) -> list[str]:
    """Return the other names of a setting."""
    return [theirs for theirs, ours in SYNONYMS.items() if ours == setting]


def rename_earlier_sections(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections by their present names, with tasks under their setting; files and calls may use shorter forms.

    Raises:
        ConfigurationError: a section is given under both names.
    """
    for earlier, name in _EARLIER_SECTIONS.items():
        if earlier in sections and name in sections:
            raise ConfigurationError(f"{earlier}: is the earlier name of {name}; write {name} alone")
    named = {_EARLIER_SECTIONS.get(name, name): section for name, section in sections.items()}
    return named | ({"tasks": nested_tasks(named["tasks"])} if "tasks" in named else {})


def translate_synonyms(values: Mapping[str, Any]) -> dict[str, Any]:
    """Translate settings that are given by name without their section into our names and values.

    Raises:
        ConfigurationError: a setting has no equivalent here, or is given under two names.
    """
    if foreign := [name for name in values if name in WITHOUT_EQUIVALENT]:
        raise ConfigurationError(
            "\n  ".join(f"{name}: is not a setting: {WITHOUT_EQUIVALENT[name]}" for name in foreign)
        )
    found: dict[str, Any] = {}
    for name, value in values.items():
        own = SYNONYMS.get(name, name)
        if own in found:
            raise ConfigurationError(f"{name}: is another name of {own}; give one of the two")
        theirs = _VALUES.get(own, {})
        found[own] = theirs.get(value, value) if isinstance(value, str) else value
    return found
