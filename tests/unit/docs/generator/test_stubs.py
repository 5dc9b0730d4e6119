"""The metrics among the public names: what the generator writes into a stub."""

from __future__ import annotations

from pathlib import Path

from docs.generator.stubs import _with_metrics

STUB = """from .codec import Detections as Detections
from .evaluation import AnswerMetric as AnswerMetric
from .evaluation import GoneMetric as GoneMetric
from .evaluation import Score as Score
from .sdk import load as load

__all__: list[str]
"""


def test_metrics_are_added_in_order_and_those_that_are_gone_removed(tmp_path: Path) -> None:
    stub = tmp_path / "__init__.pyi"
    stub.write_text(STUB)
    written = _with_metrics(stub, {"NewMetric": ".evaluation", "ALLMetric": ".evaluation"})
    assert written.splitlines() == [
        "from .codec import Detections as Detections",
        "from .evaluation import ALLMetric as ALLMetric",
        "from .evaluation import AnswerMetric as AnswerMetric",
        "from .evaluation import NewMetric as NewMetric",
        "from .evaluation import Score as Score",
        "from .sdk import load as load",
        "",
        "__all__: list[str]",
    ]
