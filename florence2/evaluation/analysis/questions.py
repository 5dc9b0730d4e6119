"""How well questions are answered, by the kind of the annotated answer and by their first words.

The three kinds of answer are those of VQAv2 (Goyal et al., arXiv 1612.00837): yes or no, a number, anything else.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.metrics.answers import normalize_answer

__all__ = ["QuestionGroup", "Questions", "questions"]

_OPENING_WORDS = 2
_OPENINGS = 12
_NUMBER = re.compile(r"-?[\d.,]*\d%?")


@dataclass(frozen=True)
class QuestionGroup:
    """Questions of some kind.

    Attributes:
        name: of the kind.
        questions: how many there are.
        value: mean of the score over them.
    """

    name: str
    questions: int
    value: float


@dataclass(frozen=True)
class Questions:
    """The questions of a split, grouped in two ways.

    Attributes:
        score: name of the score whose mean is given, such as ``vqa_accuracy``.
        by_answer: by the kind of the annotated answer.
        by_opening: by the first two words; the rarer ones share a group.
    """

    score: str
    by_answer: tuple[QuestionGroup, ...]
    by_opening: tuple[QuestionGroup, ...]


def questions(samples: Sequence[EvaluatedSample]) -> Questions | None:
    """Group the questions of a split; None where it has none.

    Args:
        samples: of a split, also those without a question. Where questions have several scores, those with the most
            frequent one are grouped.
    """
    answered = [sample for sample in samples if sample.question is not None and sample.value is not None]
    if not answered:
        return None
    score = Counter(sample.score for sample in answered).most_common(1)[0][0]
    answered = [sample for sample in answered if sample.score == score]
    openings = [_opening(sample.question or "") for sample in answered]
    frequent = {name for name, _ in Counter(openings).most_common(_OPENINGS)}
    return Questions(
        score,
        by_answer=_groups(answered, [_kind(sample.target) for sample in answered]),
        by_opening=_groups(answered, [name if name in frequent else "others" for name in openings]),
    )


def _kind(answer: str) -> str:
    text = normalize_answer(answer)
    if text in ("yes", "no"):
        return "yes or no"
    return "number" if _NUMBER.fullmatch(text) else "other"


def _opening(question: str) -> str:
    words = re.findall(r"[\w'-]+", question.lower())
    return " ".join(words[:_OPENING_WORDS]) or "(no words)"


def _groups(samples: Sequence[EvaluatedSample], names: Sequence[str]) -> tuple[QuestionGroup, ...]:
    """Return the groups, the largest first."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for sample, name in zip(samples, names, strict=True):
        if sample.value is not None:
            values[name].append(sample.value)
    groups = [QuestionGroup(name, len(each), math.fsum(each) / len(each)) for name, each in values.items()]
    return tuple(sorted(groups, key=lambda group: (-group.questions, group.name)))
