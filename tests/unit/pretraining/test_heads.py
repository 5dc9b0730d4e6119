"""The targets of the heads: what each cell of an image must name."""

from __future__ import annotations

import numpy as np

from pretraining.course import Mark
from pretraining.courses import COURSES
from pretraining.heads import cell_targets
from pretraining.world.objects import COLORS

WORLD = COURSES["world"]


def test_the_smaller_of_two_things_wins_a_cell() -> None:
    large, small = (
        Mark(np.array(box), {"color": color}) for box, color in (((0, 0, 1, 1), "red"), ((0.4, 0.4, 0.6, 0.6), "blue"))
    )
    targets = cell_targets([[small, large]], WORLD, grid=5)
    colors = targets.attributes["color"].view(5, 5)
    assert colors[2, 2] == list(COLORS).index("blue")
    assert colors[1, 2] == list(COLORS).index("red")
    assert targets.present.view(5, 5)[0, 0] == 0
    assert targets.middles[0, :2].tolist() == [12, -1]
    assert (targets.attributes["character"] == -100).all()
