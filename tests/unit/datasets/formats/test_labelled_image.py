"""An image of an annotation file, collected part by part."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from florence2.datasets.formats.labelled_image import LabelledImage, Remarks
from florence2.datasets.formats.values import BadValueError


def test_a_problem_makes_the_sample_an_error() -> None:
    found = LabelledImage("train", "a.json", 4, image="a.png", declared_wh=(20, 10))
    found.add("cat", (1, 2, 3, 4), 5)
    good = found.sample()
    assert (good.line, good.suffix, good.regions[0].text, good.declared_wh) == (4, None, "cat", (20, 10))
    with found.part(6):
        raise BadValueError("first")
    assert (found.sample().line, found.sample().error, found.sample().suffix) == (6, "first", "")
    with found.part(8, "task 1"):
        raise BadValueError("second")
    assert found.sample().error == "line 6: first; line 8: task 1: second"


def test_remarks_are_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("florence2.test")
    with caplog.at_level(logging.INFO):
        Remarks().log(logger, Path("set"))
        remarks = Remarks()
        remarks.boxed.update(["polygon", "polygon"])
        remarks.left_out.update(["tag"])
        remarks.log(logger, Path("set"))
    assert caplog.messages == ["set: read as the box around it: 2 of polygon; left out: 1 of tag"]
