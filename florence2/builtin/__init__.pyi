from .datasets import BUILTIN_DATASETS as BUILTIN_DATASETS
from .datasets import materialize as materialize
from .shapes import draw_shapes as draw_shapes
