"""The rules about annotation lines and the images that they name."""

from __future__ import annotations

from florence2.datasets.checks.definition import Finding, Rule, rule
from florence2.datasets.checks.views.rows import Row, RowsView
from florence2.images import ImageDefect


@rule(
    RowsView,
    "error",
    remedy="correct it in the file",
    example='{"image": "a.png", "prefix":',
)
def line_invalid(view: RowsView) -> Finding[Row]:
    """The line cannot be read as an annotation."""
    return Finding(~view.readable, lambda row: str(row["line_error"]), lambda row: row["line_error"])


def _image_rule(defect: ImageDefect, sentence: str, remedy: str, example: str) -> Rule:
    def find(view: RowsView) -> Finding[Row]:
        return Finding(
            view.image_defects == defect.value,
            lambda row: f"{row['image']!r}: {row['image_error'].partition(': ')[2]}",
            lambda row: row["image"],
        )

    return Rule(f"image-{defect}", "error", RowsView, sentence, remedy, example, find)


image_outside = _image_rule(
    ImageDefect.OUTSIDE,
    "The image lies outside the data set.",
    "copy the image into the data set and give its path relative to the annotation file",
    '"image": "../../other/a.png"',
)
image_missing = _image_rule(
    ImageDefect.MISSING,
    "There is no such image file.",
    "add the file, correct its name, upper and lower case included, or remove the line",
    "a line that names A.PNG where the file is a.png",
)
image_empty = _image_rule(
    ImageDefect.EMPTY, "The image file is empty.", "copy the file again, or remove the line", "a file of 0 bytes"
)
image_truncated = _image_rule(
    ImageDefect.TRUNCATED,
    "The image file ends before the image does.",
    "copy the file again, or remove the line",
    "a download that was interrupted",
)
image_unreadable = _image_rule(
    ImageDefect.UNREADABLE,
    "The file cannot be decoded as an image.",
    "save it again as PNG or JPEG, or remove the line",
    "an error page saved as a.png",
)
image_too_large = _image_rule(
    ImageDefect.TOO_LARGE,
    "The image has too many pixels.",
    "scale the image down and save it again",
    "a PNG of 30000 x 30000 pixels",
)


@rule(
    RowsView,
    "error",
    remedy="correct the size and the boxes, or restore the image that was annotated",
    example="<width>480</width> for a file of 640 x 480 pixels",
    tolerable=True,
)
def image_size_differs(view: RowsView) -> Finding[Row]:
    """The annotations give another size for the image than the file has."""
    rows = view.table
    differs = (rows["declared_width"] != rows["width"]) | (rows["declared_height"] != rows["height"])
    return Finding(
        differs,
        lambda row: (
            f"{row['image']!r} has {row['width']} x {row['height']} pixels, the annotations say {_declared_size(row)}"
            f"{_swapped_sides(row, view.orientation(row['image']))}"
        ),
        _declared_size,
    )


def _declared_size(row: Row) -> str:
    return f"{row['declared_width']} x {row['declared_height']}"


def _swapped_sides(row: Row, orientation: int | None) -> str:
    """Say that a declared size has width and height swapped, and why if that is known; empty if it has not."""
    if (row["declared_width"], row["declared_height"]) != (row["height"], row["width"]):
        return ""
    if orientation is not None and orientation >= 5:
        return f", its size before EXIF orientation {orientation} turns it upright"
    return ", width and height swapped"


@rule(
    RowsView,
    "error",
    remedy="start the prefix with a task token, such as <OD> or <VQA>, or add one of your own by --task '<MINE>=text'",
    example='"prefix": "find cats"',
)
def prefix_without_task(view: RowsView) -> Finding[Row]:
    """The prefix starts with no known task token."""
    return Finding(
        view.wrong_prefix & ~view.known_task & view.readable,
        lambda row: view.prefix_problem(row["prefix"]),
        lambda row: row["prefix"],
    )


@rule(
    RowsView,
    "error",
    remedy="write <VQA>question with the question, <OD> alone",
    example='"prefix": "<OD>cats"',
)
def prefix_text(view: RowsView) -> Finding[Row]:
    """The task needs a text after its token and has none, or takes none and has one."""
    return Finding(
        view.wrong_prefix & view.known_task & view.readable,
        lambda row: view.prefix_problem(row["prefix"]),
        lambda row: row["prefix"],
    )
