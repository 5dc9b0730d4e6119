"""Captions and other texts without the image: one answer for all, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from florence2.codec import Detections, Task
from florence2.evaluation.baselines.known_answer import KnownAnswer, chosen_indices, score_guesses
from florence2.evaluation.metrics.metric import Metric

__all__ = ["ConstantText"]

_FREQUENT = 10
_CANDIDATES = 20
_REFERENCES = 100


@dataclass(frozen=True)
class ConstantText:
    """One answer to every prompt of a task: a medoid of the training answers, or the empty text.

    Attributes:
        text: the answer.
    """

    text: str = ""

    @classmethod
    def fit(cls, task: Task, metric: type[Metric[Any, Any]] | None, known: Sequence[KnownAnswer]) -> ConstantText:
        """Choose the training answer that is worth most for the others, or the empty text where that is worth more.

        Candidates are the empty text, the 10 most frequent answers, and others by chance up to 20; each is compared
        with 100 answers at most, never with the sample that it is from.

        Args:
            task: of the answers; regions and outlines are texts, too: their locations are relative to the image.
            metric: whose first score says what a candidate is worth; None: the most frequent answer is taken.
            known: answers of the training split.
        """
        frequent = [answer for answer, _ in Counter(each.answer for each in known).most_common(_FREQUENT)]
        if metric is None:
            return cls(*frequent[:1])
        others = [known[index].answer for index in chosen_indices(len(known), _CANDIDATES)]
        candidates = list(dict.fromkeys(["", *frequent, *others]))[: _CANDIDATES + 1]
        references = [known[index] for index in chosen_indices(len(known), _REFERENCES)]

        def worth(candidate: str) -> float:
            own = next((index for index, each in enumerate(references) if each.answer == candidate), len(references))
            compared = references[:own] + references[own + 1 :]
            return score_guesses(task, metric, compared, lambda _, __: candidate)

        return cls(max(candidates, key=worth))

    def guess(self, text: str, resolution_wh: tuple[int, int]) -> tuple[str, Detections | None]:  # noqa: ARG002
        """Return the answer; without boxes."""
        return self.text, None
