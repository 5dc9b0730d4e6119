"""Answers in JSON without the image: the most frequent value of each field of the training split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from florence2.codec import Detections, Task, parse_json
from florence2.errors import AnswerError
from florence2.evaluation.baselines.known_answer import KnownAnswer
from florence2.evaluation.metrics.metric import Metric

__all__ = ["FrequentFields"]

_OFTEN = 0.5
"""Share of the objects from which a field is part of the answer."""


@dataclass(frozen=True)
class FrequentFields:
    """One object for every prompt of a task.

    Attributes:
        text: the object.
    """

    text: str = "{}"

    @classmethod
    def fit(
        cls,
        task: Task,  # noqa: ARG003
        metric: type[Metric[Any, Any]] | None,  # noqa: ARG003
        known: Sequence[KnownAnswer],
    ) -> FrequentFields:
        """Choose the fields that at least half of the answers have, each with its most frequent value.

        Args:
            task: of the answers.
            metric: not used: the most frequent value is the best guess for equal fields.
            known: answers of the training split; those that are no JSON object are left out.
        """
        objects = []
        for each in known:
            try:
                objects.append(parse_json(each.answer))
            except AnswerError:
                continue
        return cls(json.dumps(_most_frequent(objects), ensure_ascii=False))

    def guess(self, text: str, resolution_wh: tuple[int, int]) -> tuple[str, Detections | None]:  # noqa: ARG002
        """Return the object; without boxes."""
        return self.text, None


def _most_frequent(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the frequent fields of objects, those of inner objects by themselves."""
    names = dict.fromkeys(name for each in objects for name in each)
    found: dict[str, Any] = {}
    for name in names:
        values = [each[name] for each in objects if name in each]
        if len(values) < _OFTEN * len(objects):
            continue
        inner = [value for value in values if isinstance(value, dict)]
        if 2 * len(inner) > len(values):
            found[name] = _most_frequent(inner)
        else:
            texts = Counter(json.dumps(value, ensure_ascii=False) for value in values)
            found[name] = json.loads(texts.most_common(1)[0][0])
    return found
