from __future__ import annotations

import xml.etree.ElementTree as ET

from docs.generator.flow import STEPS, flow_image
from tests import ROOT


def test_every_step_of_the_image_is_one_of_the_pipelines() -> None:
    assert len(STEPS) == 11
    for step in STEPS:
        assert (ROOT / "steps" / f"{step}.py").is_file()


def test_the_texts_fit_into_the_image() -> None:
    root = ET.fromstring(flow_image())
    width = float(root.attrib["viewBox"].split()[2])
    texts = [
        (text.text or "", float(text.attrib["font-size"])) for text in root.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert len(texts) > 2 * len(STEPS)
    assert [text for text, size in texts if len(text) * size * 0.56 > width - 20] == []
