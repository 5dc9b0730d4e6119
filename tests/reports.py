"""Makes the pages of reports that no model has to answer for: a small one, and one with all that is hard to lay out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.comparison import SelectedExamples
from florence2.evaluation.evaluated_sample import BOX_SCORE, EvaluatedSample
from florence2.evaluation.examples import example_of
from florence2.evaluation.matching import match_image
from florence2.evaluation.report import ModelEvaluation
from florence2.reports.evaluation.render import render_evaluation
from tests.builders import detections, evaluated_sample

__all__ = ["AFTER", "BEFORE", "IMAGE", "crowded_page", "page", "question", "regions"]

RING = ("ring", 5.0, 5.0, 30.0, 30.0)
DOT = ("dot", 40.0, 40.0, 60.0, 60.0)
IMAGE = "/home/someone/cards/test/a.png"


def boxes(*found: tuple[str, float, float, float, float]) -> EvaluatedSample:
    """Return an image with a ring and a dot, and what was found there."""
    guess = detections(*found) if found else Detections.empty()
    scored = Detections(guess.xyxy, guess.class_name, np.linspace(0.9, 0.6, len(guess), dtype=np.float32))
    image = match_image(scored, detections(RING, DOT))
    return evaluated_sample(IMAGE, (64, 64), "<OD>", "ring, dot", "as written", BOX_SCORE, image.f1, image)


def question(text: str, value: float, prefix: str = "<VQA>how many rings?") -> EvaluatedSample:
    """Return a question with its answer."""
    return evaluated_sample(IMAGE, (64, 64), prefix, "1", text, "vqa_accuracy", value)


OLD_ROWS = [boxes(), boxes(RING, ("hat", 0, 0, 9, 9)), question("2", 0.0), question("1", 1.0)]
NEW_ROWS = [boxes(RING, DOT), boxes(RING, ("ring", 40, 40, 60, 60)), question("1", 1.0), question("one", 0.0)]


def evaluation(model: str, rows: Sequence[EvaluatedSample], map50: float, low: float, high: float) -> ModelEvaluation:
    """Return the evaluation of rows, with scores that are made up."""
    images = [each.boxes for each in rows if each.boxes]
    names = dict.fromkeys(name for image in images for name in image.target.class_name)
    per_class = {name: {"ap50": map50 / (1 + index), "ap": map50 / 2} for index, name in enumerate(names)}
    return ModelEvaluation(
        model,
        metrics={"map50": map50, "character_error_rate": 0.25},
        per_class=per_class,
        counts={"images": len(rows), "annotations": len(rows)},
        seconds=2.0,
        intervals={"map50": Interval(low, high)},
        analysis=analyse(rows, images),
    )


BEFORE = evaluation("base", OLD_ROWS, 0.02, 0.0, 0.1)
AFTER = evaluation("tuned", NEW_ROWS, 0.71, 0.6, 0.8)
COMPARISON = {"map50": Comparison(0.69, Interval(0.5, 0.8), 0.97)}


def page(both: bool = True) -> str:
    """Return a small page of two models, or of one."""
    old = OLD_ROWS if both else [None] * len(NEW_ROWS)
    shown = [example_of(new, before) for new, before in zip(NEW_ROWS, old, strict=True)]
    image = {IMAGE: Image.new("RGB", (64, 64), "#336699")}
    examples = SelectedExamples(shown, worst=shown[1::2], best=shown[::2])
    before, comparison = (BEFORE, COMPARISON) if both else (None, {})
    return render_evaluation(AFTER, before, comparison, examples, image, {"data_fingerprint": "3fe1"})


def crowded_page() -> str:
    """Return a page with 30 classes of long names, images full of boxes, and words that no line can hold."""
    rng = np.random.default_rng(0)
    names = [f"{'very ' * (index % 4)}long-named class no. {index}" for index in range(29)] + ["x" * 90]
    old, new = ([_crowd(rng, names, skill) for _ in range(12)] for skill in (0.3, 0.8))
    endless = question("answer" * 40, 0.0, f"<VQA>{'question' * 30} what?")
    old, new = [*old, endless, question("1", 1.0)], [*new, endless, question("2", 0.0)]
    old, new = [*old, *regions(0.1)], [*new, *regions(0.6)]
    shown = [example_of(after, before) for after, before in zip(new, old, strict=True)]
    images = {IMAGE: Image.fromarray(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8))}
    return render_evaluation(
        evaluation("folder/with-a-name-that-is-rather-long-" * 4, new, 0.61, 0.5, 0.7),
        evaluation("base", old, 0.6, 0.5, 0.7),
        {"map50": Comparison(0.01, Interval(-0.1, 0.1), 0.55)},
        SelectedExamples(shown, shown, shown[::2]),
        images,
        {"data": "f" * 120},
    )


def regions(value: float) -> list[EvaluatedSample]:
    """Return a row with texts in quadrilaterals and one with the outline of an object."""
    turned = "".join(
        f"a long line of text {n}<loc_200><loc_{n}><loc_800><loc_{n + 90}>"
        f"<loc_780><loc_{n + 170}><loc_180><loc_{n + 80}>"
        for n in (100, 400)
    )
    triangle = "<loc_100><loc_100><loc_900><loc_200><loc_400><loc_800>"
    answers = (
        ("<OCR_WITH_REGION>", turned, "ocr_region_f1"),
        (f"<REFERRING_EXPRESSION_SEGMENTATION>{'a thing ' * 9}", triangle, "mean_iou"),
    )
    return [evaluated_sample(IMAGE, (320, 240), prefix, text, text, score, value) for prefix, text, score in answers]


def _crowd(rng: np.random.Generator, names: Sequence[str], skill: float) -> EvaluatedSample:
    """Return an image with twenty boxes, of which a share is found under its name."""
    corners = rng.integers(0, 200, (20, 2))
    xyxy = np.hstack([corners, corners + rng.integers(5, 110, (20, 2))]).astype(np.float32)
    truth = Detections(xyxy, tuple(rng.choice(names, 20)))
    called = [name if rng.random() < skill else str(rng.choice(names)) for name in truth.class_name]
    guess = Detections(xyxy, tuple(called), rng.random(20, dtype=np.float32))
    image = match_image(guess, truth)
    return evaluated_sample(IMAGE, (320, 240), "<OD>", "t" * 300, "a" * 300, BOX_SCORE, image.f1, image, truncated=True)
