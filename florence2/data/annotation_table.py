"""The annotation table: what the rules look at, a row per manifest row.

Checks that need code (decode an answer, compare rows) are made here and leave a sentence where something is wrong and
NA where all is well, so that a rule is no more than a condition on a column. Nothing is judged here: whether a sentence
is an error or a warning, and what to do about it, stands in ``florence2.data.rules``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from florence2.codec.answers import BoxDefect, box_defect, scan_boxes
from florence2.codec.locations import BINS
from florence2.codec.tasks import RESERVED, TASKS, AnswerKind, split_prefix
from florence2.data.manifest import SPLITS, DatasetManifest
from florence2.errors import AnswerError

__all__ = ["annotation_table"]

_BOX_COLUMNS = {
    BoxDefect.NO_CLASS: "class_problem",
    BoxDefect.MALFORMED_LOCATION: "location_problem",
    BoxDefect.OUT_OF_RANGE: "location_problem",
    BoxDefect.LOCATION_COUNT: "location_count_problem",
    BoxDefect.INVERTED: "box_order_problem",
}
_ANSWER_COLUMNS = (*dict.fromkeys(_BOX_COLUMNS.values()), "leftover_problem")


def annotation_table(manifest: DatasetManifest) -> pd.DataFrame:
    """Derive the columns that the rules check.

    Args:
        manifest: the data set, also with rows that could not be read.

    Returns:
        A row for each row of the manifest in its order, with these columns: ``file``, ``line``, ``split``, ``image``,
        ``prefix``, ``suffix``, ``line_error`` as in the manifest; ``image_defect`` (an ``ImageDefect``) and
        ``image_problem``; ``prefix_problem`` and ``prefix_text_problem``; ``suffix_length`` in characters without
        blanks at the ends; the answer's ``class_problem``, ``location_problem``, ``location_count_problem``,
        ``box_order_problem`` and ``leftover_problem``; ``duplicate_of``, ``conflict`` and ``leak``, which compare
        rows. Each is NA where all is well; a line that could not be read has only its ``line_error``.
    """
    rows = manifest.table
    table = rows[["file", "line", "split", "image", "prefix", "suffix", "line_error"]].copy()
    table = table.join(_image_columns(rows))
    readable = rows[rows["line_error"].isna()]
    table = table.join(_prefix_columns(readable["prefix"]))
    table["suffix_length"] = readable["suffix"].str.strip().str.len().astype("Int64")
    table = table.join(_answer_columns(readable))
    place = readable["file"] + ":" + readable["line"].astype("string")
    content = readable["sha256"].where(readable["sha256"] != "", readable["image"])
    return table.join(_repetition_columns(readable, content, place)).join(_leak_column(readable, content, place))


def _image_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Take an image error apart into its kind and a sentence that names the image."""
    spoilt = rows.loc[rows["image_error"].notna(), ["image", "image_error"]]
    parts = [error.partition(": ") for error in spoilt["image_error"]]
    texts = [f"{image!r}: {detail}" for image, (_, _, detail) in zip(spoilt["image"], parts, strict=True)]
    columns = {"image_defect": [defect for defect, _, _ in parts], "image_problem": texts}
    return pd.DataFrame(columns, index=spoilt.index, dtype="string")


def _prefix_columns(prefixes: pd.Series[str]) -> pd.DataFrame:
    """Say what is wrong with each prefix: no task at all, or a text too many or too few."""
    without_task: dict[str, str] = {}
    about_text: dict[str, str] = {}
    for prefix in prefixes.unique():
        try:
            split_prefix(prefix)
        except AnswerError as exc:
            known = prefix[: prefix.find(">") + 1] in TASKS
            (about_text if known else without_task)[prefix] = str(exc)
    return pd.DataFrame(
        {
            "prefix_problem": _sentences(prefixes, without_task),
            "prefix_text_problem": _sentences(prefixes, about_text),
        },
        index=prefixes.index,
    )


def _answer_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Say what is wrong with each answer, by what its task asks for."""
    made_of_boxes = rows["task"].isin([token for token, task in TASKS.items() if task.answer is AnswerKind.BOXES])
    boxes, others = rows.loc[made_of_boxes, "suffix"], rows.loc[~made_of_boxes, "suffix"]
    problems = {suffix: _box_problems(suffix) for suffix in boxes.unique()}
    columns = {
        column: _sentences(boxes, {suffix: texts[column] for suffix, texts in problems.items() if column in texts})
        for column in _ANSWER_COLUMNS
    }
    columns["reserved_problem"] = _reserved_problems(rows["suffix"])
    for texts in (others, rows["prefix"]):
        columns["location_problem"] = columns["location_problem"].combine_first(_range_problems(texts))
    return pd.DataFrame(columns, index=rows.index, dtype="string")


def _box_problems(suffix: str) -> Mapping[str, str]:
    """Collect what is wrong with an answer made of boxes, a sentence a column; empty if nothing is."""
    found: dict[str, list[str]] = {}
    spans, rest = scan_boxes(suffix)
    for span in spans:
        defect = box_defect(span)
        if defect is not None:
            found.setdefault(_BOX_COLUMNS[defect[0]], []).append(defect[1])
    if rest.strip():
        found["leftover_problem"] = [f"{rest.strip()!r} has no location tokens after it"]
    return {column: "; ".join(texts) for column, texts in found.items()}


def _range_problems(texts: pd.Series[str]) -> pd.Series[str]:
    """Say which location tokens in a text of any kind do not exist."""
    problems = {}
    for text in texts.unique():
        outside = [number for span in scan_boxes(text)[0] for number in span.bins if not 0 <= number < BINS]
        if outside:
            problems[text] = f"<loc_{outside[0]}> does not exist, bins go from 0 to {BINS - 1}"
    return _sentences(texts, problems)


def _reserved_problems(texts: pd.Series[str]) -> pd.Series[str]:
    """Say which tokens in an answer end or frame it for the model."""
    problems = {}
    for text in texts.unique():
        reserved = [token for token in RESERVED if token in text]
        if reserved:
            problems[text] = f"{reserved[0]} in an answer would end or frame it"
    return _sentences(texts, problems)


def _repetition_columns(rows: pd.DataFrame, content: pd.Series[str], place: pd.Series[str]) -> pd.DataFrame:
    """Name the earlier row that a row repeats, or contradicts: same split, image and prefix, another answer."""
    keys = pd.DataFrame({"split": rows["split"], "content": content, "prefix": rows["prefix"]})
    repeated = keys.assign(suffix=rows["suffix"])
    again = repeated.duplicated()
    first = place.groupby([repeated[name] for name in repeated], sort=False).transform("first")
    other = keys.duplicated() & ~again
    asked = place.groupby([keys[name] for name in keys], sort=False).transform("first")
    subject = rows["prefix"].map(repr) + " of " + rows["image"].map(repr)
    return pd.DataFrame(
        {
            "duplicate_of": (subject + " is answered as in " + first).where(again),
            "conflict": (subject + " is answered otherwise than in " + asked).where(other),
        }
    ).astype("string")


def _leak_column(rows: pd.DataFrame, content: pd.Series[str], place: pd.Series[str]) -> pd.Series[str]:
    """Name, for a row whose image is also in a later one of the splits train, valid, test, a row there.

    Only the earlier split's row is marked: dropping it mends the leak and leaves the test split as it is.
    """
    rank = rows["split"].map({split: number for number, split in enumerate(SPLITS)}).astype("Int64")
    last = rank.groupby(content, sort=False).transform("max")
    there = place.where(rank == last).groupby(content, sort=False).transform("first")
    leaks = rows.index[(rank < last).fillna(False)]
    texts = [
        f"{image!r} is the same picture as in split {SPLITS[number]}, {other}"
        for image, number, other in zip(rows["image"][leaks], last[leaks], there[leaks], strict=True)
    ]
    return pd.Series(texts, index=leaks, dtype="string", name="leak")


def _sentences(texts: pd.Series[str], problems: Mapping[str, str]) -> pd.Series[str]:
    """Return the sentences about those texts that have a problem, and no row for the others.

    Problems are found once for each distinct text: questions and answers repeat by the thousand.
    """
    return texts[texts.isin(list(problems))].map(problems).astype("string")
