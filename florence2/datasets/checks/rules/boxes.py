"""The rules about boxes."""

from __future__ import annotations

from florence2.codec import BINS
from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views.boxes import Box, BoxesView

_BOX = "<loc_10><loc_20><loc_300><loc_400>"


@rule(BoxesView, "error", remedy="write the class name of the object", example=f'"suffix": "{_BOX}"')
def box_without_class(view: BoxesView) -> Finding[Box]:
    """A box has no class name."""
    return Finding(view.nameless, lambda box: f"no class name before {box}")


@rule(
    BoxesView,
    "error",
    remedy="correct the box, or clip it to the image: validation.rules box-outside: repair",
    example="x_max 660 in an image of 640 x 480 pixels",
    repair="clip",
)
def box_outside(view: BoxesView) -> Finding[Box]:
    """A box leaves its image."""
    bins = view.boxes.bins
    beyond = ((bins < 0) | (bins >= BINS)).any(axis=1)
    return Finding(view.from_coordinates & beyond, lambda box: f"{box}: {box.sides_beyond_image}")


@rule(
    BoxesView,
    "error",
    remedy="swap the two numbers; the order is x_min, y_min, x_max, y_max",
    example='"suffix": "cat<loc_300><loc_20><loc_10><loc_400>"',
)
def box_inverted(view: BoxesView) -> Finding[Box]:
    """A box ends before it begins."""
    return Finding(view.shorter_side < 0, lambda box: f"{box}: {box.wrong_order}")


@rule(
    BoxesView,
    "error",
    remedy="draw it again or remove it: validation.rules box-zero-area: repair removes it",
    example='"suffix": "cat<loc_300><loc_20><loc_300><loc_400>"',
    repair="drop-box",
    tolerable=True,
)
def box_zero_area(view: BoxesView) -> Finding[Box]:
    """A box has no width or no height: it begins and ends in one bin and marks nothing."""
    return Finding(view.shorter_side == 0, lambda box: f"{box} begins and ends in one of the {BINS} bins")


@rule(
    BoxesView,
    "warning",
    remedy="remove one of the two: validation.rules box-duplicate: repair",
    example=f'"suffix": "cat{_BOX}cat{_BOX}"',
    repair="drop-box",
)
def box_duplicate(view: BoxesView) -> Finding[Box]:
    """The same box with the same class is twice in one answer."""
    other = view.equal_to
    return Finding(other >= 0, lambda box: f"{box} is the same as {view.other_box(box, other[box.position])}")


@rule(
    BoxesView,
    "warning",
    remedy="check the image, and remove one of the two if they mark one object",
    example=f'"suffix": "cat{_BOX}cat<loc_10><loc_20><loc_301><loc_400>"',
)
def box_near_duplicate(view: BoxesView) -> Finding[Box]:
    """Two boxes of one class in one answer are nearly the same (validation.near_iou)."""
    other = view.nearly_equal_to
    return Finding(other >= 0, lambda box: f"{box} is nearly the same as {view.other_box(box, other[box.position])}")


@rule(
    BoxesView,
    "warning",
    remedy="check that it marks an object; a model can hardly recognise it",
    example='"suffix": "cat<loc_10><loc_20><loc_12><loc_400>"',
)
def box_tiny(view: BoxesView) -> Finding[Box]:
    """A side of a box is only a few bins long (validation.tiny_box)."""
    side = view.shorter_side
    return Finding(
        (side > 0) & (side < view.config.tiny_box), lambda box: f"{box}: a side of {side[box.position]} of {BINS} bins"
    )
