"""Metrics of answers that are JSON objects: their fields, how similar their values are, and their shape.

The field F1 and the tree edit accuracy are those of Donut (arXiv 2111.15664, section 3.1; clovaai/donut,
``donut/util.py``, ``JSONParseEvaluator``). An answer that is no JSON object has no fields.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from florence2.codec import AnswerKind, fields_of, normal_json, parse_json
from florence2.errors import AnswerError
from florence2.evaluation.metrics.answers import anls
from florence2.evaluation.metrics.metric import Metric, check_plain, weighted_ratio
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.metrics.tree_edit import Tree, tree_edit_distance

__all__ = ["JSONFieldsMetric", "json_tree_edit"]

_LEAF = "\0"
"""Begins the label of a value, so that no name of a field equals it."""

_INNER = "<subtree>"
"""Label of an object within another."""


_OfField = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""F1, number of given values and number of true values of a field, for each resample."""


@dataclass(frozen=True)
class _Compared:
    """One answer, compared with its target.

    Attributes:
        right: number of equal fields.
        fields: number of fields of both.
        similarity: sum of the similarities of fields with the same path.
        pairs: number of fields that were compared, those without a partner included.
        tree: tree edit accuracy.
        by_path: equal fields, fields of the answer and of the target by their path.
    """

    right: int
    fields: int
    similarity: float
    pairs: int
    tree: float
    by_path: dict[str, tuple[int, int, int]]


class JSONFieldsMetric(Metric[str, str]):
    """F1 of equal fields, ANLS of the values of fields, and the similarity of both objects as trees."""

    name: ClassVar[str] = "json_fields"
    anls: ClassVar[str] = "json_field_anls"
    f1: ClassVar[str] = "json_field_f1"
    tree: ClassVar[str] = "json_tree_edit"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(f1, "JSON fields, F1", "fields with equal path and value", headline=True),
        Score(anls, "JSON fields, ANLS", "similarity of the values of each field", headline=True),
        Score(tree, "JSON tree edit", "1 - edits of both trees / edits from nothing", headline=True),
    )
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.JSON,)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.JSON,)

    def __init__(self) -> None:
        self._compared: list[_Compared] = []
        self._unreadable = 0

    def update(self, prediction: str, target: str) -> None:
        """Take one sample.

        Args:
            prediction: the answer of the model; what is no JSON object counts as an object without fields.
            target: the annotated object.

        Raises:
            AnswerError: the prediction still holds special tokens, or the target is no JSON object.
        """
        expected = normal_json(parse_json(target))
        try:
            given = normal_json(parse_json(check_plain(prediction)))
        except AnswerError:
            check_plain(prediction)
            given = {}
            self._unreadable += 1
        self._compared.append(_compare(given, expected))

    def compute(self) -> dict[str, float]:
        """Return the three scores over all fields, or answers; nothing where there are none."""
        found = {}
        for name, (numerators, denominators) in self._ratios().items():
            # fsum is exact, so that the order of samples cannot show in the last digit.
            if below := math.fsum(denominators):
                found[name] = math.fsum(numerators) / below
        return found

    def values(self) -> tuple[float, ...]:
        """Return F1 of each answer; 1 where neither object has fields."""
        return tuple(2 * each.right / each.fields if each.fields else 1.0 for each in self._compared)

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the scores for each row of weights (r, n)."""
        return {name: weighted_ratio(weights, *ratio) for name, ratio in self._ratios().items()}

    def _ratios(self) -> dict[str, tuple[list[float], list[float]]]:
        """Return numerators and denominators of each answer, by score."""
        each = self._compared
        return {
            self.f1: ([2.0 * one.right for one in each], [float(one.fields) for one in each]),
            self.anls: ([one.similarity for one in each], [float(one.pairs) for one in each]),
            self.tree: ([one.tree for one in each], [1.0] * len(each)),
        }

    def per_class(self) -> dict[str, dict[str, float]]:
        """Return F1 by the path of a field, and how often it is in the targets and the predictions."""
        totals = self._by_path(np.ones((1, len(self._compared)), dtype=np.int64))
        return {
            path: {self.f1: float(f1[0]), "truths": float(truths[0]), "predictions": float(given[0])}
            for path, (f1, given, truths) in totals.items()
        }

    def resampled_per_class(self, weights: NDArray[np.int64]) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Return F1 of each field for each row of weights (r, n)."""
        return {path: {self.f1: f1} for path, (f1, _, _) in self._by_path(weights).items()}

    def counts(self) -> dict[str, int]:
        """Return numbers of fields in targets and predictions, and of answers that are no JSON object."""
        by_path = [counts for each in self._compared for counts in each.by_path.values()]
        return {
            "true_fields": sum(truths for _, _, truths in by_path),
            "predicted_fields": sum(given for _, given, _ in by_path),
            "answers_without_json": self._unreadable,
        }

    def reset(self) -> None:
        """Forget all samples."""
        self._compared.clear()
        self._unreadable = 0

    def describe(self) -> str:
        """Say what the scores mean."""
        return (
            "Fields of JSON objects as in Donut: a field is right if path and value are equal, and the F1 is over all "
            "fields of the split. ANLS compares the values of equal paths; a missing field has 0, and so has one too "
            "many. Tree edit: 1 minus the edits between both objects, divided by those from an empty one."
        )

    def _by_path(self, weights: NDArray[np.int64]) -> dict[str, _OfField]:
        """Return F1, and the numbers of given and of true fields, by the paths in the targets."""
        paths = sorted({path for each in self._compared for path, counts in each.by_path.items() if counts[2]})
        found: dict[str, _OfField] = {}
        for path in paths:
            rows = np.array([each.by_path.get(path, (0, 0, 0)) for each in self._compared], dtype=np.int64)
            right, given, truths = rows.T
            f1 = weighted_ratio(weights, 2 * right, given + truths)
            numbers = weights @ np.array([given, truths], dtype=np.float64).T
            found[path] = (f1, numbers[:, 0], numbers[:, 1])
        return found


def _compare(given: Any, expected: Any) -> _Compared:
    ours, theirs = fields_of(given), fields_of(expected)
    equal = Counter(ours) & Counter(theirs)
    similarity, pairs = _similarities(ours, theirs)
    counted: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for number, fields in enumerate((equal.elements(), ours, theirs)):
        for path, _ in fields:
            counted[path][number] += 1
    return _Compared(
        right=equal.total(),
        fields=len(ours) + len(theirs),
        similarity=similarity,
        pairs=pairs,
        tree=json_tree_edit(given, expected),
        by_path={path: (right, mine, true) for path, (right, mine, true) in counted.items()},
    )


def _similarities(ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> tuple[float, int]:
    """Return the sum of the ANLS of fields with the same path, in their order, and the number of fields compared."""
    values: defaultdict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for number, fields in enumerate((ours, theirs)):
        for path, value in fields:
            values[path][number].append(value)
    total = sum(
        anls(first, (second,)) for given, true in values.values() for first, second in zip(given, true, strict=False)
    )
    return total, sum(max(len(given), len(true)) for given, true in values.values())


def json_tree_edit(given: Any, expected: Any) -> float:
    """Return 1 - edits between both objects / edits from an empty object, at least 0, as in Donut.

    Values cost the edits of their characters, names one each.

    Args:
        given: of the model, as ``normal_json`` returns it.
        expected: the target, in the same form; where it is empty, 1 if the other is empty as well.
    """
    ours, theirs, nothing = _tree("", given), _tree("", expected), _tree("", {})
    most = tree_edit_distance(nothing, theirs, _edge_cost, _rename_cost)
    if not most:
        return float(given == expected)
    return max(0.0, 1 - tree_edit_distance(ours, theirs, _edge_cost, _rename_cost) / most)


def _tree(label: str, value: Any) -> Tree:
    """Return the tree of an object: a node for each name, below it the values, an inner object below one of its own."""
    if isinstance(value, dict):
        return Tree(label, tuple(Tree(name, _values(each)) for name, each in value.items()))
    return Tree(_LEAF + value) if isinstance(value, str) else Tree(label, _values(value))


def _values(value: Any) -> tuple[Tree, ...]:
    return tuple(_tree(_INNER, each) for each in (value if isinstance(value, list) else [value]))


def _edge_cost(label: str) -> float:
    return len(label) - 1 if label.startswith(_LEAF) else 1


def _rename_cost(first: str, second: str) -> float:
    leaves = first.startswith(_LEAF), second.startswith(_LEAF)
    if all(leaves):
        return Levenshtein.distance(first[1:], second[1:])
    if any(leaves):
        return float(len(first if leaves[0] else second))  # one more than the characters of the value
    return float(first != second)
