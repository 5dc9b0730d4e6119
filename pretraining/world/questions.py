"""Prompts about a scene of the wide world, and the right answers: all of Florence-2's tasks but outlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from florence2.builtin.canvas import Points
from florence2.codec.answers import format_detections
from florence2.codec.detections import Detections
from florence2.codec.locations import location_token, quantize
from florence2.codec.regions import Quads, format_quads
from pretraining.course import Pair
from pretraining.world.scenes import WorldScene
from pretraining.world.vqa import PairMaker, plural, question

__all__ = ["PAIRS_BY_TASK", "long_pair", "pair_of_task", "short_pair"]

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def long_pair(rng: np.random.Generator, scene: WorldScene) -> Pair:
    """Ask for boxes or for whole sentences."""
    return _drawn(rng, scene, _LONG_OF_LINES if scene.lines else _LONG_OF_OBJECTS)


def short_pair(rng: np.random.Generator, scene: WorldScene) -> Pair:
    """Ask for a few words."""
    if scene.kind == "document":
        return _drawn(rng, scene, _SHORT_OF_DOCUMENTS)
    return _drawn(rng, scene, _SHORT_OF_WORDS if scene.lines else _SHORT_OF_OBJECTS)


def pair_of_task(rng: np.random.Generator, scene: WorldScene, task: str) -> Pair | None:
    """Ask one task about a scene, or None where it does not fit."""
    return PAIRS_BY_TASK[task](rng, scene)


def _drawn(rng: np.random.Generator, scene: WorldScene, askers: Sequence[tuple[float, PairMaker]]) -> Pair:
    """Ask what is drawn by weight and fits; the first always fits."""
    weights = np.array([weight for weight, _ in askers])
    for _ in range(4):
        pair = askers[int(rng.choice(len(askers), p=weights / weights.sum()))][1](rng, scene)
        if pair is not None:
            return pair
    pair = askers[0][1](rng, scene)
    assert pair is not None, "an empty scene has no prompt"
    return pair


def _detection(_: np.random.Generator, scene: WorldScene) -> Pair:
    return "<OD>", format_detections(scene.detections, scene.image.size)


def _dense(_: np.random.Generator, scene: WorldScene) -> Pair:
    names = tuple(_described(fact) for fact in scene.facts)
    return "<DENSE_REGION_CAPTION>", format_detections(Detections(scene.detections.xyxy, names), scene.image.size)


def _proposals(_: np.random.Generator, scene: WorldScene) -> Pair:
    bins = quantize(scene.detections.xyxy, scene.image.size)
    return "<REGION_PROPOSAL>", "".join(location_token(int(value)) for value in bins.ravel())


def _grounding(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    names = sorted(set(scene.detections.class_name))
    if not names:
        return None
    names = [str(name) for name in rng.permutation(names)[: int(rng.integers(1, 4))]]
    rows = [row for name in names for row, other in enumerate(scene.detections.class_name) if other == name]
    answer = _boxes(scene, rows)
    return "<CAPTION_TO_PHRASE_GROUNDING>" + " and ".join(f"a {name}" for name in names), answer


def _vocabulary(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask for all objects of one class, or of one shape or colour, which the answer repeats."""
    if not scene.facts:
        return None
    fact = scene.facts[int(rng.integers(len(scene.facts)))]
    kind = rng.random()
    if kind < 0.5:
        phrase = scene.detections.class_name[scene.facts.index(fact)]
        rows = [row for row, name in enumerate(scene.detections.class_name) if name == phrase]
    else:
        key = "shape" if kind < 0.75 else "color"
        phrase = fact[key] if key == "shape" else f"{fact[key]} object"
        rows = [row for row, other in enumerate(scene.facts) if other[key] == fact[key]]
    names = (phrase,) * len(rows)
    return f"<OPEN_VOCABULARY_DETECTION>{phrase}", format_detections(
        Detections(scene.detections.xyxy[rows], names), scene.image.size
    )


def _caption(_: np.random.Generator, scene: WorldScene) -> Pair | None:
    if scene.lines:
        count = len(scene.lines)
        return (
            "<CAPTION>",
            f"a {'page' if scene.kind == 'document' else 'sign'} with {_number(count)} {plural('line', count)} of text",
        )
    names = Counter(scene.detections.class_name)
    if len(names) > 3:
        return "<CAPTION>", f"a picture of {_number(len(scene.facts))} objects"
    return "<CAPTION>", " and ".join(f"{_number(count)} {plural(name, count)}" for name, count in names.items())


def _detailed(_: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not 0 < len(scene.facts) <= 6:
        return None
    placed = [
        f"a {name} on the {_side(box, scene.image.width)}"
        for name, box in zip(scene.detections.class_name, scene.detections.xyxy, strict=True)
    ]
    return (
        "<DETAILED_CAPTION>",
        f"the image shows {_number(len(placed))} {plural('object', len(placed))}: {', '.join(placed)}.",
    )


def _more_detailed(_: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not 0 < len(scene.facts) <= 4:
        return None
    placed = [
        f"a {_described(fact)} on the {_side(box, scene.image.width)}"
        for fact, box in zip(scene.facts, scene.detections.xyxy, strict=True)
    ]
    return (
        "<MORE_DETAILED_CAPTION>",
        f"the image shows {_number(len(placed))} {plural('object', len(placed))}: {', '.join(placed)}.",
    )


def _region_category(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not scene.facts:
        return None
    row = int(rng.integers(len(scene.facts)))
    return f"<REGION_TO_CATEGORY>{_region(scene, scene.detections.xyxy[row])}", scene.detections.class_name[row]


def _region_description(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not scene.facts:
        return None
    row = int(rng.integers(len(scene.facts)))
    return f"<REGION_TO_DESCRIPTION>{_region(scene, scene.detections.xyxy[row])}", f"a {_described(scene.facts[row])}"


def _ocr(_: np.random.Generator, scene: WorldScene) -> Pair:
    return "<OCR>", " ".join(line.text for line in scene.lines)


def _ocr_with_region(_: np.random.Generator, scene: WorldScene) -> Pair:
    boxes = np.array([line.box for line in scene.lines], dtype=np.float32).reshape(-1, 4)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    return "<OCR_WITH_REGION>", format_quads(Quads(corners, tuple(line.text for line in scene.lines)), scene.image.size)


def _region_ocr(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not scene.lines:
        return None
    line = scene.lines[int(rng.integers(len(scene.lines)))]
    return f"<REGION_TO_OCR>{_region(scene, line.box)}", line.text


def _document(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not scene.lines or scene.kind != "document":
        return None
    line = scene.lines[int(rng.integers(len(scene.lines)))]
    wording = str(rng.choice(["what is the {}?", "what {} is written here?", "which {} is on the page?"]))
    return f"<DocVQA>{wording.format(line.field)}", line.value


def _question_of_words(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    words = " ".join(line.text for line in scene.lines).split()
    if not words:
        return None
    kind = int(rng.integers(4))
    if kind == 0:
        return "<VQA>how many words are there?", str(len(words))
    if kind == 1:
        return "<VQA>what is the first word?", words[0]
    if kind == 2:
        return "<VQA>what is the last word?", words[-1]
    return "<VQA>how many lines of text are there?", str(len(scene.lines))


def _described(fact: Mapping[str, str]) -> str:
    texture = "" if fact["texture"] == "plain" else f"{fact['texture']} "
    frame = "framed " if fact["framed"] == "yes" else ""
    return f"{fact['size']} {frame}{texture}{fact['color']} {fact['shape']}"


def _boxes(scene: WorldScene, rows: list[int]) -> str:
    names = tuple(scene.detections.class_name[row] for row in rows)
    return format_detections(Detections(scene.detections.xyxy[rows], names), scene.image.size)


def _region(scene: WorldScene, box: Points) -> str:
    bins = quantize(np.asarray(box)[None], scene.image.size)[0]
    return "".join(location_token(int(value)) for value in bins)


def _side(box: Points, width: int) -> str:
    middle = (box[0] + box[2]) / 2 / width
    return "left" if middle < 0.36 else "right" if middle > 0.64 else "middle"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


_LONG_OF_OBJECTS: tuple[tuple[float, PairMaker], ...] = (
    (0.52, _detection),
    (0.08, _dense),
    (0.08, _grounding),
    (0.08, _vocabulary),
    (0.1, _proposals),
    (0.07, _detailed),
    (0.07, _more_detailed),
)
_SHORT_OF_OBJECTS: tuple[tuple[float, PairMaker], ...] = (
    (0.1, _caption),
    (0.68, question),
    (0.12, _region_category),
    (0.1, _region_description),
)
_LONG_OF_LINES: tuple[tuple[float, PairMaker], ...] = ((0.55, _ocr_with_region), (0.45, _ocr))
_SHORT_OF_WORDS: tuple[tuple[float, PairMaker], ...] = (
    (0.35, _ocr),
    (0.3, _region_ocr),
    (0.27, _question_of_words),
    (0.08, _caption),
)
_SHORT_OF_DOCUMENTS: tuple[tuple[float, PairMaker], ...] = ((0.3, _region_ocr), (0.65, _document), (0.05, _caption))

PAIRS_BY_TASK: dict[str, PairMaker] = {
    "<OD>": _detection,
    "<DENSE_REGION_CAPTION>": _dense,
    "<REGION_PROPOSAL>": _proposals,
    "<CAPTION_TO_PHRASE_GROUNDING>": _grounding,
    "<OPEN_VOCABULARY_DETECTION>": _vocabulary,
    "<CAPTION>": _caption,
    "<DETAILED_CAPTION>": _detailed,
    "<MORE_DETAILED_CAPTION>": _more_detailed,
    "<REGION_TO_CATEGORY>": _region_category,
    "<REGION_TO_DESCRIPTION>": _region_description,
    "<OCR>": _ocr,
    "<OCR_WITH_REGION>": _ocr_with_region,
    "<REGION_TO_OCR>": _region_ocr,
    "<VQA>": question,
    "<DocVQA>": _document,
}
"""What makes a prompt and its answer, by the token of each task."""
