"""Checks that the classes in the settings are those of the data: a misspelt one would never be predicted."""

from __future__ import annotations

import difflib

from florence2.codec import CLASS_TASKS, scan_column
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest, boxes_of, tidy
from florence2.errors import ConfigurationError

__all__ = ["check_classes"]


def check_classes(rows: DatasetManifest, config: EvaluationConfig) -> None:
    """Compare ``evaluation.classes`` with the classes of annotated boxes.

    A class that is in no annotation may be rare, and is accepted unless it is similar to an annotated one that is not
    in the settings.

    Args:
        rows: all of a data set.
        config: its classes are checked where ``grammar`` is ``classes``.

    Raises:
        ConfigurationError: classes are misspelt; the message names all of them with the nearest classes.
    """
    if config.grammar != "classes":
        return
    detections = rows.replace_rows(rows.table[rows.table["task"].isin(CLASS_TASKS)])
    annotated = {tidy(name) for name in boxes_of(detections, scan_column(detections.table["suffix"])).names}
    given = {tidy(name) for name in config.classes}
    problems = [
        f"evaluation.classes: {name!r} is in no annotation; did you mean {near[0]!r}?"
        for name in sorted(given - annotated)
        if (near := difflib.get_close_matches(name, sorted(annotated - given), n=1, cutoff=0.75))
    ]
    if problems:
        raise ConfigurationError("\n  ".join(["invalid configuration:", *problems]))
