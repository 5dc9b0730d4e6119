"""The measured features of a data set and the fixed edges of their histograms.

Because the edges are fixed, two data sets can be compared by their counts alone, without their images. To measure
something else, add its row here and its values in ``observations``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FEATURES", "Feature", "compact"]


@dataclass(frozen=True)
class Feature:
    """A number that is measured for each box, question, answer or image.

    Attributes:
        name: key in the statistics.
        title: its name for readers.
        meaning: what it is, with its unit.
        edges: k + 1 rising numbers. Bin i counts the values from edge i up to, but not including, edge i + 1; values
            below the first edge count in the first bin, and those from the last edge on in the last bin.
    """

    name: str
    title: str
    meaning: str
    edges: tuple[float, ...]


def compact(value: float) -> str:
    """Return a number with three digits, or with all digits before the point."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _powers(low: int, high: int) -> tuple[float, ...]:
    """Return the powers of two and the numbers halfway (times the root of two) between them, both ends included."""
    return tuple(round(2 ** (half / 2), 4) for half in range(2 * low, 2 * high + 1))


def _steps(count: int) -> tuple[float, ...]:
    return tuple(index / count for index in range(count + 1))


_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 512, 1024, 2048, 4096)
_OBJECTS = (0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31, 51, 101, 201)

FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("box_size", "Box size", "root of the share of the image that the box covers", (0.0, *_powers(-7, 0))),
        Feature("box_aspect", "Box aspect ratio", "width / height in pixels", _powers(-4, 4)),
        Feature("box_x", "Box position across", "centre, 0 is the left edge and 1 the right", _steps(10)),
        Feature("box_y", "Box position down", "centre, 0 is the top edge and 1 the bottom", _steps(10)),
        Feature("objects", "Objects per image", "boxes that one task names in one image", _OBJECTS),
        Feature("question_length", "Question length", "characters after the task token", _LENGTHS),
        Feature("answer_length", "Answer length", "characters, answers in words only", _LENGTHS),
        Feature("image_width", "Image width", "pixels", (0.0, *_powers(4, 14))),
        Feature("image_height", "Image height", "pixels", (0.0, *_powers(4, 14))),
        Feature("brightness", "Brightness", "mean luma, 0 is black and 1 white", _steps(20)),
    )
}
"""Every feature by its name, in the order in which they are shown."""
