"""The rules about rows that repeat, contradict or reveal other rows."""

from __future__ import annotations

from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views.rows import Row, RowsView


@rule(
    RowsView,
    "error",
    remedy="keep it in one split: a test on training images proves nothing",
    example="train/a.png and test/b.png are the same file",
    tolerable=True,
)
def image_in_two_splits(view: RowsView) -> Finding[Row]:
    """The same image is in an earlier and a later one of the splits train, valid, test."""
    later = view.repetitions.same_image_later
    return Finding(
        later >= 0,
        lambda row: (
            f"{row['image']!r} is the same image as in split {view.table['split'].iloc[later[row.row]]}, "
            f"{view.location_of(later[row.row])}"
        ),
        lambda row: row["image"],
    )


@rule(
    RowsView,
    "warning",
    remedy="remove one of the two, unless it is meant to count twice",
    example="the same question about the same image with the same answer, twice",
    repair="drop-row",
)
def row_duplicate(view: RowsView) -> Finding[Row]:
    """Image, prefix and suffix are the same as in an earlier row."""
    first = view.repetitions.same_answer
    return Finding(
        first >= 0,
        lambda row: (
            f"{row['prefix']!r} of {row['image']!r} has the same answer as in {view.location_of(first[row.row])}"
        ),
    )


@rule(
    RowsView,
    "warning",
    remedy="keep one answer; write all boxes of an image into one line",
    example='the same question about the same image, once "2" and once "3"',
)
def answer_conflict(view: RowsView) -> Finding[Row]:
    """The same image and prefix have another answer in an earlier row."""
    first = view.repetitions.other_answer
    return Finding(
        first >= 0,
        lambda row: (
            f"{row['prefix']!r} of {row['image']!r} has another answer than in {view.location_of(first[row.row])}"
        ),
    )
