"""The edit distance of ordered trees: the cheapest way to insert, delete and rename nodes.

Source: Zhang and Shasha, Simple fast algorithms for the editing distance between trees and related problems, SIAM
Journal on Computing 18 (1989), 1245-1262.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Tree", "tree_edit_distance"]


@dataclass(frozen=True)
class Tree:
    """An ordered tree.

    Attributes:
        label: of its root.
        children: from left to right.
    """

    label: str
    children: tuple[Tree, ...] = ()

    @cached_property
    def _order(self) -> tuple[list[str], list[int]]:
        """The label of each node and the first leaf below it; children come before their parent."""
        labels: list[str] = []
        leaves: list[int] = []
        for child in self.children:
            below, first = child._order
            leaves += [leaf + len(labels) for leaf in first]
            labels += below
        return [*labels, self.label], [*leaves, 0]

    @property
    def labels(self) -> list[str]:
        """Return the label of each node; children come before their parent."""
        return self._order[0]

    @property
    def first_leaves(self) -> list[int]:
        """Return for each node the first leaf below it, by its position in ``labels``."""
        return self._order[1]

    @property
    def key_roots(self) -> list[int]:
        """Return the positions of the nodes that are not the first child of theirs, and of the root."""
        return sorted({leaf: node for node, leaf in enumerate(self.first_leaves)}.values())


def tree_edit_distance(
    before: Tree, after: Tree, edge_cost: Callable[[str], float], rename_cost: Callable[[str, str], float]
) -> float:
    """Return the least cost of the edits that make one tree of another.

    Args:
        before: the first tree, of n nodes.
        after: the second one, of m nodes; the time is at most that of n * m * depth * depth steps.
        edge_cost: of inserting or deleting a node, by its label.
        rename_cost: of giving a node another label, by both.
    """
    deletions = np.array([edge_cost(label) for label in before.labels])
    insertions = np.array([edge_cost(label) for label in after.labels])
    renames = np.array([[rename_cost(first, second) for second in after.labels] for first in before.labels])
    trees = np.zeros((len(deletions), len(insertions)))
    for root in before.key_roots:
        for other in after.key_roots:
            _fill(before.first_leaves, after.first_leaves, root, other, deletions, insertions, renames, trees)
    return float(trees[-1, -1])


def _fill(
    leaves: list[int],
    others: list[int],
    root: int,
    other: int,
    deletions: np.ndarray,
    insertions: np.ndarray,
    renames: np.ndarray,
    trees: np.ndarray,
) -> None:
    """Compute the distances of the forests below two nodes, and keep those that are trees."""
    first, second = leaves[root], others[other]
    forest = np.zeros((root - first + 2, other - second + 2))
    forest[1:, 0] = np.cumsum(deletions[first : root + 1])
    forest[0, 1:] = np.cumsum(insertions[second : other + 1])
    for node in range(first, root + 1):
        i = node - first + 1
        for against in range(second, other + 1):
            j = against - second + 1
            cheapest = min(forest[i - 1, j] + deletions[node], forest[i, j - 1] + insertions[against])
            if leaves[node] == first and others[against] == second:
                forest[i, j] = min(cheapest, forest[i - 1, j - 1] + renames[node, against])
                trees[node, against] = forest[i, j]
            else:
                before = forest[leaves[node] - first, others[against] - second]
                forest[i, j] = min(cheapest, before + trees[node, against])
