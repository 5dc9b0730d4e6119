from __future__ import annotations

from typing import Any

import pytest

from pipelines.retrain_summary import Retraining, to_markdown

TRAINED = {
    "executed_steps": ["ingest_dataset", "fine_tune"],
    "before": {"map50": 0.1, "map75": 0.0},
    "after": {"map50": 0.8213, "map75": 0.5},
    "model_version": "cards version 2 @challenger",
}
GATE = {
    "name": "better",
    "title": "Better | beyond chance",
    "judges": "advantage",
    "value": 0.01,
    "limit": 0.0,
    "passed": False,
    "why": "It is not:\nchance alone does so.",
}


def decided(verdict: str) -> dict[str, Any]:
    return {"verdict": verdict, "why": "Version 2 it is.", "gates": [GATE]}


@pytest.mark.parametrize(
    ("done", "title"),
    [
        (Retraining(0, TRAINED | {"executed_steps": []}), "nothing changed"),
        (Retraining(0, TRAINED), "nothing to decide"),
        (Retraining(0, TRAINED, "", decided("promote")), "promoted"),
        (Retraining(3, TRAINED, "", decided("hold")), "held"),
        (Retraining(3, TRAINED, "", decided("reject")), "rejected"),
        (Retraining(1), "failed"),
    ],
)
def test_the_title_says_what_happened(done: Retraining, title: str) -> None:
    assert to_markdown(done).startswith(f"# Retraining: {title}\n")


def test_scores_drift_and_gates_stand_in_it() -> None:
    text = to_markdown(Retraining(3, TRAINED, "Drifted in 1 of 9 features: classes.", decided("hold")))
    assert "Steps that ran: ingest_dataset, fine_tune." in text
    assert "| mAP50 | 0.100 | 0.821 |" in text
    assert "mAP75" not in text
    assert "Drifted in 1 of 9 features" in text
    assert "| Better \\| beyond chance | failed | 0.01 | 0 | It is not: chance alone does so. |" in text
    assert "rollback" not in text


def test_a_promotion_says_how_to_take_it_back() -> None:
    assert "florence2 registry rollback" in to_markdown(Retraining(0, TRAINED, "", decided("promote")))


def test_it_says_which_half_failed() -> None:
    assert "The fine-tune ended with status 1" in to_markdown(Retraining(1))
    assert "The promotion ended with status 130" in to_markdown(Retraining(130, TRAINED))
