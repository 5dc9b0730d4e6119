"""The view ``classes``: a row for each class name as it is written, beside the other names of the set."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from florence2.codec import CLASS_TASKS
from florence2.datasets.checks.boxes import Boxes, tidy
from florence2.datasets.checks.view import Positions, RuleBounds, View
from florence2.datasets.manifest import DatasetManifest

__all__ = ["classes_view"]

_TYPO_LETTERS = 4
_COMPARED_AT_ONCE = 1000
_DIGIT = re.compile(r"\d")


def classes_view(manifest: DatasetManifest, boxes: Boxes, boxes_view: View, settings: RuleBounds) -> View:
    """Derive the columns about class names.

    Names are compared without stray blanks, which have a rule of their own.

    Args:
        manifest: the data set.
        boxes: its boxes.
        boxes_view: the view of them, which tells where a name stands.
        settings: bounds of the rules.
    """
    spelling, first = np.unique(boxes.name, return_index=True)
    names = _names_table(manifest, boxes, settings.typo_ratio)
    tidied = pd.Series([tidy(boxes.names[code]) for code in spelling], dtype="string")
    facts = names.reindex(tidied).reset_index(drop=True)
    table = pd.DataFrame(
        {
            "blanks": [tidy(name) != name and bool(name.strip()) for name in (boxes.names[code] for code in spelling)],
            "case_of": facts["case_of"],
            "typo_of": facts["typo_of"],
            "held_out_only": facts["held_out_only"].fillna(False).to_numpy(dtype=bool),
            "rare": ((facts["trained"] > 0) & (facts["trained"] < settings.rare_class)).to_numpy(),
        }
    ).astype({"blanks": bool, "case_of": "string", "typo_of": "string"})
    counts = np.bincount(boxes.name, minlength=len(boxes.names))[spelling]

    def describe(positions: Positions) -> list[dict[str, Any]]:
        places = boxes_view.describe(first[positions])
        own = [
            {
                "name": boxes.names[spelling[position]],
                "tidied": tidied[position],
                "boxes": int(counts[position]),
                "case_of": table["case_of"].iloc[position],
                "typo_of": table["typo_of"].iloc[position],
                "trained": facts["trained"].fillna(0).astype(int).iloc[position],
            }
            for position in positions.tolist()
        ]
        return [place | facts for place, facts in zip(places, own, strict=True)]

    def rows_of(positions: Positions) -> Positions:
        return np.unique(boxes.row[np.isin(boxes.name, spelling[positions])])

    return View("classes", table, describe, rows_of)


def _names_table(manifest: DatasetManifest, boxes: Boxes, typo_ratio: int) -> pd.DataFrame:
    """Compare the classes, a row for each without stray blanks, in the order of their first box."""
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
    """Name for each class a more frequent one that differs in upper and lower case only, else NA."""
    best: dict[str, str] = {}
    # Sorting is stable: the first of equally frequent spellings is taken for the right one.
    for name in total.sort_values(ascending=False, kind="stable").index:
        best.setdefault(name.casefold(), name)
    others = [right if (right := best[name.casefold()]) != name else None for name in total.index]
    return pd.Series(others, index=total.index, dtype="string")


def _typo_of(total: pd.Series[int], candidates: NDArray[np.bool_], ratio: int) -> pd.Series[str]:
    """Name for each class one that is so many times as frequent and differs by one letter, else NA."""
    frequent = total[total >= ratio]
    rare = total[candidates & (total <= total.max() / ratio).to_numpy()] if len(total) else total
    found: dict[str, str] = {}
    right = [name.casefold() for name in frequent.index]
    for start in range(0, len(rare), _COMPARED_AT_ONCE):
        part = rare.iloc[start : start + _COMPARED_AT_ONCE]
        folded = [name.casefold() for name in part.index]
        distances = process.cdist(folded, right, scorer=Levenshtein.distance, score_cutoff=1, dtype=np.uint8)
        for at, other in zip(*np.nonzero(distances == 1), strict=True):
            name, likely = part.index[at], frequent.index[other]
            if frequent.iloc[other] >= ratio * part.iloc[at] and _looks_mistyped(folded[at], right[other]):
                found.setdefault(name, likely)
    return pd.Series([found.get(name) for name in total.index], index=total.index, dtype="string")


def _looks_mistyped(name: str, likely: str) -> bool:
    """Tell whether one letter in a longer word makes the difference: "type 1" and "type 2" are two classes."""
    words, others = name.split(), likely.split()
    if len(words) != len(others):
        return len(name) >= _TYPO_LETTERS
    word, other = next(pair for pair in zip(words, others, strict=True) if pair[0] != pair[1])
    return min(len(word), len(other)) >= _TYPO_LETTERS and _DIGIT.sub("", word) != _DIGIT.sub("", other)
