"""Pictures of detections: enlarged, drawn over, put side by side."""

from __future__ import annotations

import numpy as np
from PIL import Image

from florence2.codec.detections import Detections
from florence2.data.images.drawing import class_colours, draw_detections, ink_on, side_by_side


def test_small_pictures_are_enlarged_before_boxes_are_drawn() -> None:
    image = Image.new("RGBA", (64, 48), "#000000")
    found = Detections(
        np.array([[16, 24, 40, 40]], dtype=np.float32), ("9 of clubs",), np.array([0.5], dtype=np.float32)
    )
    drawn = draw_detections(image, found)
    assert (drawn.mode, drawn.size) == ("RGB", (448, 336))
    colour = tuple(bytes.fromhex(class_colours(found.class_name)["9 of clubs"][1:]))
    assert drawn.getpixel((16 * 7, 30 * 7)) == colour
    assert drawn.getpixel((30 * 7, 30 * 7)) == (0, 0, 0)
    assert image.getpixel((16, 24)) == (0, 0, 0, 255)
    assert draw_detections(Image.new("RGB", (900, 600)), Detections.empty()).size == (900, 600)


def test_pictures_side_by_side() -> None:
    sheet = side_by_side([("Before", Image.new("L", (40, 30))), ("After", Image.new("L", (50, 20)))])
    assert (sheet.mode, sheet.width) == ("RGB", 40 + 50 + 3 * 12)


def test_colours_are_stable_and_their_labels_readable() -> None:
    colours = class_colours(["b", "a", "b"])
    assert colours == class_colours(["a", "b"])
    assert len(set(colours.values())) == 2
    assert {ink_on(colour) for colour in class_colours(map(str, range(12))).values()} == {"#ffffff"}
    assert ink_on("#ffee88") == "#000000"
