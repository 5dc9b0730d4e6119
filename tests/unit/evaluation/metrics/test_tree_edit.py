"""The distance of trees against its definition."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from florence2.evaluation.metrics.tree_edit import Tree, tree_edit_distance

trees = st.recursive(
    st.builds(Tree, st.sampled_from("ab")),
    lambda inner: st.builds(
        lambda label, below: Tree(label, tuple(below)), st.sampled_from("ab"), st.lists(inner, max_size=3)
    ),
    max_leaves=4,
)


def edge(label: str) -> float:
    return 1.0 if label == "a" else 2.0


def rename(first: str, second: str) -> float:
    return 0.0 if first == second else 1.5


@cache
def by_definition(before: tuple[Tree, ...], after: tuple[Tree, ...]) -> float:
    """The distance of two forests: the last root of one is deleted, inserted, or becomes that of the other."""
    if not before and not after:
        return 0.0
    found = []
    if before:
        *rest, last = before
        found.append(by_definition((*rest, *last.children), after) + edge(last.label))
    if after:
        *others, root = after
        found.append(by_definition(before, (*others, *root.children)) + edge(root.label))
    if before and after:
        *rest, last = before
        *others, root = after
        below = by_definition(last.children, root.children)
        found.append(by_definition(tuple(rest), tuple(others)) + below + rename(last.label, root.label))
    return min(found)


@given(trees, trees)
def test_the_distance_is_that_of_the_definition(before: Tree, after: Tree) -> None:
    assert tree_edit_distance(before, after, edge, rename) == by_definition((before,), (after,))


@given(trees, trees)
def test_the_distance_is_symmetric_and_zero_for_equal_trees(before: Tree, after: Tree) -> None:
    assert tree_edit_distance(before, after, edge, rename) == tree_edit_distance(after, before, edge, rename)
    assert tree_edit_distance(before, before, edge, rename) == 0.0


def test_nodes_are_listed_children_first() -> None:
    tree = Tree("r", (Tree("x", (Tree("y"), Tree("z"))), Tree("w")))
    assert tree.labels == ["y", "z", "x", "w", "r"]
    assert tree.first_leaves == [0, 1, 0, 3, 0]
    assert tree.key_roots == [1, 3, 4]
