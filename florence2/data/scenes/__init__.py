"""Generated scenes with exact boxes: the ground of the built-in data sets and of the built-in base model."""

from florence2.data.scenes.canvas import Scene
from florence2.data.scenes.cards import CARD_CLASSES, draw_cards
from florence2.data.scenes.shapes import SHAPE_CLASSES, draw_shapes

__all__ = ["CARD_CLASSES", "SHAPE_CLASSES", "Scene", "draw_cards", "draw_shapes"]
