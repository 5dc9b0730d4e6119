from .canvas import Scene as Scene
from .cards import CARD_CLASSES as CARD_CLASSES
from .cards import draw_cards as draw_cards
from .datasets import BUILTIN_DATASETS as BUILTIN_DATASETS
from .datasets import materialize as materialize
from .shapes import SHAPE_CLASSES as SHAPE_CLASSES
from .shapes import draw_shapes as draw_shapes
