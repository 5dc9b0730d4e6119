"""The benchmark of drift counts false alarms and missed drift."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drift_calibration import calibrate
from tests.builders import manifest


def test_a_change_is_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    bright = {f"{number}.png": {"brightness": float(rng.normal(0.6, 0.05))} for number in range(80)}
    found = calibrate(manifest(*({"image": image} for image in bright), images=bright), 40, 3)
    assert (found.comparisons, found.false_alarms, found.found) == (3, 0, 3)
    assert found.far == 3, "sets of 40 differ that much by chance"


def test_a_difference_that_is_no_chance_would_alarm() -> None:
    # Half of the images are wide, so that two sets of one image each may differ as much as possible.
    rows = [{"image": f"{number}.png", "width": 10 if number % 2 else 900} for number in range(4)]
    found = calibrate(manifest(*rows), 1, 4)
    assert 0 < found.far < 4
    assert (found.false_alarms, found.unlikely) == (0, 0)
    with pytest.raises(ValueError, match="4 images, two sets of 3 take 6"):
        calibrate(manifest(*rows), 3, 1)
