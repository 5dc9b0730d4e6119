"""The built-in base detects what was drawn for it, and a wrong answer is recognised."""

from __future__ import annotations

from florence2.doctor.smoke import check_smoke, is_right
from tests.builders import detections


def test_the_model_names_and_finds_what_was_drawn() -> None:
    (found,) = check_smoke()
    assert found.level == "ok", found.message


def test_an_answer_is_right_by_name_and_overlap() -> None:
    drawn = detections(("red star", 10, 10, 30, 30))
    assert is_right(detections(("red star", 12, 10, 30, 30)), drawn)
    assert not is_right(detections(("red ring", 12, 10, 30, 30)), drawn)
    assert not is_right(detections(("red star", 25, 25, 40, 40)), drawn)
    assert not is_right(None, drawn)
