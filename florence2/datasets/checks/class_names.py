"""Which class names may be another one, mistyped: counts and comparisons of the classes of a data set."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from florence2.codec import CLASS_TASKS
from florence2.datasets.boxes import Boxes, tidy
from florence2.datasets.manifest import DatasetManifest

__all__ = ["compare_classes"]

_TYPO_LETTERS = 4
"""Words of fewer letters are not compared."""

_COMPARED_NAMES = 1000
"""Names that are compared with all frequent ones in one matrix, which bounds the memory."""

_DIGIT = re.compile(r"\d")


def compare_classes(manifest: DatasetManifest, boxes: Boxes, typo_ratio: int) -> pd.DataFrame:
    """Count the classes of a data set and compare their names, without stray blanks.

    Args:
        manifest: the data set.
        boxes: its boxes.
        typo_ratio: a class that differs by one letter from one so many times as frequent may be a typing error.

    Returns:
        A row for each class, indexed by its name, in the order of their first box: ``total`` boxes, ``trained`` boxes
        outside the validation and test split, ``held_out_only`` (none of them is trained on), and ``case_of`` and
        ``typo_of``, the class that may be meant, NA where there is none.
    """
    of_list = manifest.table["task"].isin(CLASS_TASKS).to_numpy(dtype=bool)[boxes.row]
    codes, tidied = pd.factorize(pd.Series([tidy(name) for name in boxes.names], dtype="string"))
    named = np.asarray(codes)[boxes.name[of_list]]
    split = manifest.table["split"].to_numpy()[boxes.row[of_list]]
    held_out = np.isin(split, ("valid", "test"))
    total = np.bincount(named, minlength=len(tidied))
    trained = np.bincount(named[~held_out], minlength=len(tidied))
    present = (total > 0) & np.array([bool(name) for name in tidied], dtype=bool)
    counts = pd.DataFrame({"total": total, "trained": trained}, index=pd.Index(tidied, dtype="string"))
    names: pd.DataFrame = counts[present]
    case_of = _case_of(names["total"])
    return names.assign(
        held_out_only=(names["trained"] == 0) & bool((~held_out).any()),
        case_of=case_of,
        typo_of=_typo_of(names["total"], case_of.isna().to_numpy(), typo_ratio),
    )


def _case_of(total: pd.Series[int]) -> pd.Series[str]:
    """Return for each class a more frequent one that differs in upper and lower case only, else NA."""
    best: dict[str, str] = {}
    # Sorting is stable: the first of equally frequent spellings is taken for the right one.
    for name in total.sort_values(ascending=False, kind="stable").index:
        best.setdefault(name.casefold(), name)
    others = [right if (right := best[name.casefold()]) != name else None for name in total.index]
    return pd.Series(others, index=total.index, dtype="string")


def _typo_of(total: pd.Series[int], candidates: NDArray[np.bool_], ratio: int) -> pd.Series[str]:
    """Return for each class one that is so many times as frequent and differs by one letter, else NA."""
    frequent = total[total >= ratio]
    rare = total[candidates & (total <= total.max() / ratio).to_numpy()] if len(total) else total
    found: dict[str, str] = {}
    right = [name.casefold() for name in frequent.index]
    for start in range(0, len(rare), _COMPARED_NAMES):
        part = rare.iloc[start : start + _COMPARED_NAMES]
        folded = [name.casefold() for name in part.index]
        distances = process.cdist(folded, right, scorer=Levenshtein.distance, score_cutoff=1, dtype=np.uint8)
        for index, other in zip(*np.nonzero(distances == 1), strict=True):
            name, likely = part.index[index], frequent.index[other]
            if frequent.iloc[other] >= ratio * part.iloc[index] and _is_mistyped(folded[index], right[other]):
                found.setdefault(name, likely)
    return pd.Series([found.get(name) for name in total.index], index=total.index, dtype="string")


def _is_mistyped(name: str, likely: str) -> bool:
    """Return whether the letter that differs is in a longer word; "type 1" and "type 2" are two classes."""
    words, others = name.split(), likely.split()
    if len(words) != len(others):
        return len(name) >= _TYPO_LETTERS
    word, other = next(pair for pair in zip(words, others, strict=True) if pair[0] != pair[1])
    return min(len(word), len(other)) >= _TYPO_LETTERS and _DIGIT.sub("", word) != _DIGIT.sub("", other)
