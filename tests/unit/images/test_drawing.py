"""Images of detections: enlarged and drawn over."""

from __future__ import annotations

import numpy as np
from PIL import Image

from florence2.codec.detections import Detections
from florence2.codec.outlines import Outline
from florence2.images.drawing import class_colours, contrasting_colour, draw_detections, draw_outlines


def test_small_images_are_enlarged_before_boxes_are_drawn() -> None:
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


def test_colours_are_stable_and_their_labels_readable() -> None:
    colours = class_colours(["b", "a", "b"])
    assert colours == class_colours(["a", "b"])
    assert len(set(colours.values())) == 2
    assert {contrasting_colour(colour) for colour in class_colours(map(str, range(12))).values()} == {"#ffffff"}
    assert contrasting_colour("#ffee88") == "#000000"


def test_a_polygon_is_drawn_along_its_edges_and_closed() -> None:
    triangle = Outline(((10.0, 10.0), (90.0, 10.0), (10.0, 90.0)))
    drawn = draw_outlines(Image.new("RGB", (100, 100)), [triangle], colours={"": "#ff0000"}, long_side=100)
    for edge in ((50, 10), (50, 50), (10, 50)):
        assert drawn.getpixel(edge) == (255, 0, 0)
    assert drawn.getpixel((30, 30)) == drawn.getpixel((90, 90)) == (0, 0, 0)


def test_a_box_is_drawn_alike_by_either_function() -> None:
    image = Image.new("RGB", (500, 300))
    boxes = Detections(np.array([[20, 30, 200, 120], [5, 5, 5, 5]], dtype=np.float32), ("a", "b"))
    corners = [Outline(((x, y), (v, y), (v, w), (x, w)), name) for name, _, (x, y, v, w) in boxes.rows()]
    assert draw_detections(image, boxes).tobytes() == draw_outlines(image, corners).tobytes()
