"""The evaluation report: the scores and answers of two models, before and after, on the same test split."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from florence2.errors import Florence2Error
from florence2.evaluation.analysis.analyse import Analysis
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.examples import Example
from florence2.evaluation.scores import Score, declare_scores, in_order
from florence2.storage import ReportFiles

__all__ = ["EvaluationReport", "ModelEvaluation", "comparison_table", "public_name"]


@dataclass(frozen=True)
class ModelEvaluation:
    """The scores of one model.

    Attributes:
        model: what the model is called.
        metrics: scores by name; one that the split does not define is absent.
        per_class: scores by class name.
        counts: how much was evaluated: images, questions, truths ...
        seconds: time to generate the answers.
        intervals: of the scores, by name; empty where none were computed.
        analysis: where the model is right and where it fails; None where only scores were computed.
        declared: titles and directions of those scores that no metric of this library computes.
        baseline: what the best answers without seeing the image score; None where they were not evaluated.
    """

    model: str
    metrics: dict[str, float] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    intervals: dict[str, Interval] = field(default_factory=dict)
    analysis: Analysis | None = None
    declared: tuple[Score, ...] = ()
    baseline: BaselineScores | None = None

    def __post_init__(self) -> None:
        declare_scores(self.declared)


@dataclass(frozen=True)
class EvaluationReport:
    """Two models on the same test split.

    Attributes:
        before: the base model.
        after: the fine-tuned model.
        comparison: differences of headline scores on the same images, by name.
        examples: rows spread evenly over the split, with the answers of both.
        worst: the worst rows of the fine-tuned model, see ``extremes``.
        best: its best ones.
        facts: what else a reader needs: fingerprint of the data, base, strategy ...
        advice: what to try next, and why; empty after a good training.
        html: the page that shows all this, see ``florence2.reports``.
    """

    # Nested dataclasses follow: a key that none of them has is an error.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    before: ModelEvaluation
    after: ModelEvaluation
    comparison: dict[str, Comparison] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()
    best: tuple[Example, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    advice: str = ""
    html: str = ""

    @property
    def task_tokens(self) -> list[str]:
        """Return the task tokens of the split: the examples have each of them."""
        return list(dict.fromkeys(example.task.token for example in self.examples))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries, lists, strings and numbers."""
        content: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the report of a dictionary, the inverse of ``to_dict``.

        Raises:
            Florence2Error: a key is missing or unknown.
        """
        try:
            report: Self = _adapter().validate_python(content)
        except ValidationError as exc:
            problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in exc.errors()]
            raise Florence2Error(
                f"not an evaluation report, or one of another version: {'; '.join(problems[:5])}"
            ) from exc
        return report

    def save(self, folder: str | Path) -> None:
        """Write ``report.json`` and ``report.html`` into a folder, which is made if it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        content = self.to_dict()
        page = content.pop("html")
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        # As bytes, so that line ends come back as they were.
        (folder / ReportFiles.DATA).write_bytes(text.encode())
        (folder / ReportFiles.PAGE).write_bytes(page.encode())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            Florence2Error: a file is missing or is not that of a report.
        """
        folder = Path(folder)
        try:
            content = json.loads((folder / ReportFiles.DATA).read_bytes())
            page = (folder / ReportFiles.PAGE).read_bytes().decode()
        except (OSError, ValueError) as exc:
            raise Florence2Error(
                f"{folder} holds no readable {ReportFiles.DATA} and {ReportFiles.PAGE}: {exc}"
            ) from exc
        if not isinstance(content, dict):
            raise Florence2Error(
                f"{folder / ReportFiles.DATA} is not an evaluation report but a {type(content).__name__}"
            )
        return cls.from_dict({**content, "html": page})


@functools.cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(EvaluationReport)


def public_name(model: str) -> str:
    """Return what a report calls a model: of a folder its last two parts: a report shows no path of a machine."""
    parts = Path(model).resolve().parts[1:] if Path(model).exists() else Path(model).parts
    return "/".join(parts[-2:])


def comparison_table(report: EvaluationReport) -> list[tuple[str, float | None, float | None]]:
    """Return each score before and after, the most telling first; None where a model has no such score."""
    before, after = report.before.metrics, report.after.metrics
    return [(name, before.get(name), after.get(name)) for name in in_order([*before, *after])]
