"""Scenes of cards: boxes enclose what was drawn."""

from __future__ import annotations

import numpy as np

from florence2.builtin.cards import draw_cards


def test_boxes_enclose_what_was_drawn() -> None:
    """Two scenes that differ only in which card lies there differ nowhere but inside the card's box."""
    for seed in range(8):
        king, ace = (
            draw_cards(np.random.default_rng(seed), 128, [name]) for name in ("king of hearts", "ace of spades")
        )
        assert np.array_equal(king.detections.xyxy, ace.detections.xyxy)
        changed = np.any(np.asarray(king.image) != np.asarray(ace.image), axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        x_min, y_min, x_max, y_max = king.detections.xyxy[0]
        assert x_min - 1 <= columns[0] < columns[-1] <= x_max + 1
        assert y_min - 1 <= rows[0] < rows[-1] <= y_max + 1
        assert (columns[-1] - columns[0]) * (rows[-1] - rows[0]) > 0.6 * (x_max - x_min) * (y_max - y_min)
