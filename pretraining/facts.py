"""What both courses derive from the facts of a scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["near_misses", "singled_out"]


def near_misses(present: set[str], classes: Sequence[str]) -> list[str]:
    """Return absent class names that share a word with a present one; the word tile does not count.

    Args:
        present: class names of a scene.
        classes: all there are.
    """
    words = {word for name in present for word in name.split() if word != "framed"}
    return [name for name in classes if name not in present and words & set(name.split())]


def singled_out(rng: np.random.Generator, facts: Sequence[Mapping[str, str]], by: str) -> Mapping[str, str] | None:
    """Return the facts of an object whose value of an attribute no other has; None where there is none.

    Args:
        rng: source of randomness.
        facts: of all objects of a scene.
        by: the attribute.
    """
    frequency = Counter(fact[by] for fact in facts)
    unique = [fact for fact in facts if frequency[fact[by]] == 1]
    return unique[int(rng.integers(len(unique)))] if unique else None
