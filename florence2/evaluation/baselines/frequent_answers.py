"""Questions without the image: the most frequent answer of the training split, overall or by the question."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from florence2.codec import Detections, Task
from florence2.evaluation.baselines.known_answer import KnownAnswer, chosen_indices, score_guesses
from florence2.evaluation.metrics.answers import normalize_answer
from florence2.evaluation.metrics.metric import Metric

__all__ = ["FrequentAnswers"]

_FOLDS = 5
_MOST_SCORED = 5_000
"""Questions by which the variants are compared; of larger sets a random selection."""


@dataclass(frozen=True)
class FrequentAnswers:
    """The most frequent answer to a question.

    Attributes:
        tables: the most frequent answer by key, from the general to the special: all questions, the first word of the
            question, its text. A question whose key is not in a table gets the answer of the table before.
    """

    tables: tuple[Mapping[str, str], ...]

    @classmethod
    def fit(cls, task: Task, metric: type[Metric[Any, Any]] | None, known: Sequence[KnownAnswer]) -> FrequentAnswers:
        """Choose by the metric among overall, first word and text of the question, and count the answers.

        The choice is made by cross-validation: each fifth of the questions is answered from the other four. Otherwise
        the text would always be chosen where each question occurs once. Of equal variants the more general one is
        chosen.

        Args:
            task: of the questions.
            metric: by whose first score the variants are compared; None: the most special one is taken.
            known: questions and answers of the training split.
        """
        normal = {answer: normalize_answer(answer) for answer in {each.answer for each in known}}

        def counted(rows: Sequence[KnownAnswer]) -> FrequentAnswers:
            return cls(tuple(_count(rows, key, normal) for key in _KEYS))

        complete = counted(known)
        if metric is None or len(known) < _FOLDS:
            return complete
        chosen = [known[index] for index in chosen_indices(len(known), _MOST_SCORED)]
        folds = [counted([row for i, row in enumerate(chosen) if i % _FOLDS != fold]) for fold in range(_FOLDS)]

        def worth(depth: int) -> float:
            cut = [cls(fold.tables[:depth]) for fold in folds]
            return score_guesses(task, metric, chosen, lambda index, each: cut[index % _FOLDS].answer(each.text))

        best = max(range(1, len(_KEYS) + 1), key=worth)
        return cls(complete.tables[:best])

    def answer(self, text: str) -> str:
        """Return the answer to a question; empty where no answer is known at all."""
        for table, key in reversed(list(zip(self.tables, _KEYS, strict=False))):
            if (name := key(text)) in table:
                return table[name]
        return ""

    def guess(self, text: str, resolution_wh: tuple[int, int]) -> tuple[str, Detections | None]:  # noqa: ARG002
        """Return the answer to a question; without boxes."""
        return self.answer(text), None


def _all(_: str) -> str:
    return ""


def _first_word(question: str) -> str:
    found = re.search(r"[\w'-]+", question.lower())
    return found.group() if found else ""


def _text(question: str) -> str:
    return " ".join(question.lower().split())


_KEYS = (_all, _first_word, _text)


def _count(rows: Sequence[KnownAnswer], key: Callable[[str], str], normal: Mapping[str, str]) -> dict[str, str]:
    """Return the most frequent answer by key.

    Args:
        rows: questions and answers.
        key: of a question.
        normal: the form of each answer in which answers are counted: those that differ in case or punctuation alone
            are the same one. The most frequent spelling is returned.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[key(row.text)][normal[row.answer]] += 1
        spellings[normal[row.answer]][row.answer] += 1
    spelling = {name: of_name.most_common(1)[0][0] for name, of_name in spellings.items()}
    return {name: spelling[of_key.most_common(1)[0][0]] for name, of_key in counts.items()}
