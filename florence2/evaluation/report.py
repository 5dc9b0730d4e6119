"""The evaluation report: what two models, before and after, made of the same test split."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from florence2.errors import Florence2Error
from florence2.evaluation.figures import in_order

__all__ = ["EvaluationReport", "Example", "ModelEvaluation", "comparison_table"]

_DATA_FILE = "report.json"
_PAGE_FILE = "report.html"


@dataclass(frozen=True)
class ModelEvaluation:
    """The figures of one model.

    Attributes:
        model: what the model is called.
        metrics: figures by name; one that the split does not define is absent.
        per_class: figures by class name.
        counts: how much was judged: images, questions, truths ...
        seconds: time that the evaluation took.
    """

    model: str
    metrics: dict[str, float] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Example:
    """One test sample with the answers of both models, as texts.

    Attributes:
        image: path or URI of the image as the manifest has it.
        width: its width in pixels.
        height: its height in pixels.
        prefix: the task token with its input, for example ``<VQA>How many cards?``.
        target: the annotated answer.
        before: the answer of the base model.
        after: the answer of the fine-tuned model.
    """

    image: str
    width: int
    height: int
    prefix: str
    target: str
    before: str
    after: str


@dataclass(frozen=True)
class EvaluationReport:
    """Two models on the same test split.

    Attributes:
        before: the base model.
        after: the fine-tuned model.
        examples: samples with the answers of both.
        facts: what the figures rest on: fingerprint of the data, base, strategy ...
        html: the page that shows all this, see ``render_html``.
    """

    before: ModelEvaluation
    after: ModelEvaluation
    examples: tuple[Example, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    html: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries, lists, strings and numbers."""
        content = dataclasses.asdict(self)
        content["examples"] = list(content["examples"])
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the report of a dictionary, the inverse of ``to_dict``.

        Raises:
            Florence2Error: a key is missing or unknown.
        """
        try:
            return cls(
                before=ModelEvaluation(**content["before"]),
                after=ModelEvaluation(**content["after"]),
                examples=tuple(Example(**example) for example in content["examples"]),
                facts=dict(content["facts"]),
                html=content["html"],
            )
        except (KeyError, TypeError) as exc:
            raise Florence2Error(f"not an evaluation report, or one of another version: {exc}") from exc

    def save(self, folder: str | Path) -> None:
        """Write ``report.json`` and ``report.html`` into a folder, which is made if it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        content = self.to_dict()
        page = content.pop("html")
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        # As bytes, so that line ends come back as they were.
        (folder / _DATA_FILE).write_bytes(text.encode())
        (folder / _PAGE_FILE).write_bytes(page.encode())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            Florence2Error: a file is missing or is not that of a report.
        """
        folder = Path(folder)
        try:
            content = json.loads((folder / _DATA_FILE).read_bytes())
            page = (folder / _PAGE_FILE).read_bytes().decode()
        except (OSError, ValueError) as exc:
            raise Florence2Error(f"{folder} holds no readable {_DATA_FILE} and {_PAGE_FILE}: {exc}") from exc
        if not isinstance(content, dict):
            raise Florence2Error(f"{folder / _DATA_FILE} is not an evaluation report but a {type(content).__name__}")
        return cls.from_dict({**content, "html": page})


def comparison_table(report: EvaluationReport) -> list[tuple[str, float | None, float | None]]:
    """Return each figure before and after, the most telling first; None where a model has no such figure."""
    before, after = report.before.metrics, report.after.metrics
    return [(name, before.get(name), after.get(name)) for name in in_order([*before, *after])]
