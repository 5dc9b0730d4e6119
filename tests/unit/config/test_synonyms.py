"""Names of roboflow/maestro's settings are translated to ours, or refused with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.config import (
    Configuration,
    PredictionConfiguration,
    PromotionConfiguration,
    ServingConfiguration,
    leaf_paths,
)
from florence2.config.synonyms import METRICS_WITHOUT_EQUIVALENT, SYNONYMS, WITHOUT_EQUIVALENT
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.registry import METRICS, metric_named

MAESTRO: dict[str, Any] = {
    "dataset": "D",
    "model_id": "some/model",
    "revision": "main",
    "optimization_strategy": "none",
    "epochs": 3,
    "lr": 1e-4,
    "batch_size": 4,
    "accumulate_grad_batches": 8,
    "val_batch_size": 2,
    "num_workers": 1,
    "metrics": ["mean_average_precision"],
    "max_new_tokens": 512,
    "random_seed": 7,
}
"""What ``maestro.trainer.models.florence_2.core.train`` takes, but for what has no equivalent."""


def test_a_dict_of_maestro_is_a_configuration() -> None:
    ours = Configuration(
        dataset={"source": "D"},
        model={"base": "some/model", "revision": "main"},
        training={
            "strategy": "full",
            "epochs": 3,
            "learning_rate": 1e-4,
            "batch_size": 4,
            "gradient_accumulation": 8,
            "seed": 7,
            "engine": {"loader_workers": 1},
        },
        evaluation={"metrics": ["mean_average_precision"], "max_new_tokens": 512, "eval_batch_size": 2},
    )
    assert Configuration(**MAESTRO) == ours


def test_every_synonym_names_a_setting_and_hides_none() -> None:
    trees = (PromotionConfiguration, PredictionConfiguration, ServingConfiguration)
    settings = {name for tree in trees for name, _ in leaf_paths(tree)}
    assert set(SYNONYMS.values()) <= settings
    taken = settings.union(*(tree.model_fields for tree in trees))
    assert not taken & (SYNONYMS.keys() | WITHOUT_EQUIVALENT.keys())
    assert not METRICS.keys() & METRICS_WITHOUT_EQUIVALENT.keys()


@pytest.mark.parametrize("name", WITHOUT_EQUIVALENT)
def test_a_setting_without_equivalent_is_reported_with_a_remedy(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: is not a setting: "):
        Configuration(**dict[str, Any]({name: "x"}))


def test_a_setting_is_not_given_under_two_names() -> None:
    with pytest.raises(ConfigurationError, match="lr: is another name of learning_rate"):
        Configuration(**dict[str, Any](learning_rate=1e-3, lr=1e-4))


def test_an_unknown_metric_of_theirs_is_reported_with_the_one_to_use() -> None:
    with pytest.raises(ConfigurationError, match=r"'edit_distance': .*character_error_rate"):
        metric_named("edit_distance")
