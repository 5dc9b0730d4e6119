"""What is asked about a scene of the wide world, and the right answer: all of Florence-2's tasks but outlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from florence2.codec.answers import format_detections
from florence2.codec.detections import Detections
from florence2.codec.locations import location_token, quantize
from florence2.codec.regions import Quads, format_quads
from florence2.data.scenes.canvas import Points
from pretraining.world.objects import CLASSES, COLORS, OUTLINES
from pretraining.world.scenes import WorldScene

__all__ = ["ASKED", "Pair", "ask", "ask_long", "ask_short"]

Pair = tuple[str, str]
"""A prefix and its suffix."""

_Asker = Callable[[np.random.Generator, WorldScene], Pair | None]
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def ask_long(rng: np.random.Generator, scene: WorldScene) -> Pair:
    """Ask for boxes or for whole sentences."""
    return _drawn(rng, scene, _LONG_OF_LINES if scene.lines else _LONG_OF_OBJECTS)


def ask_short(rng: np.random.Generator, scene: WorldScene) -> Pair:
    """Ask for a few words."""
    if scene.kind == "document":
        return _drawn(rng, scene, _SHORT_OF_DOCUMENTS)
    return _drawn(rng, scene, _SHORT_OF_WORDS if scene.lines else _SHORT_OF_OBJECTS)


def ask(rng: np.random.Generator, scene: WorldScene, task: str) -> Pair | None:
    """Ask one task about a scene, or None where it does not fit."""
    return ASKED[task](rng, scene)


def _drawn(rng: np.random.Generator, scene: WorldScene, askers: Sequence[tuple[float, _Asker]]) -> Pair:
    """Ask what is drawn by weight and fits; the first always fits."""
    weights = np.array([weight for weight, _ in askers])
    for _ in range(4):
        pair = askers[int(rng.choice(len(askers), p=weights / weights.sum()))][1](rng, scene)
        if pair is not None:
            return pair
    pair = askers[0][1](rng, scene)
    return pair if pair is not None else ("<OCR>", "")


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
            f"a {'page' if scene.kind == 'document' else 'sign'} with {_number(count)} {_s('line', count)} of text",
        )
    names = Counter(scene.detections.class_name)
    if len(names) > 3:
        return "<CAPTION>", f"a picture of {_number(len(scene.facts))} objects"
    return "<CAPTION>", " and ".join(f"{_number(count)} {_s(name, count)}" for name, count in names.items())


def _detailed(_: np.random.Generator, scene: WorldScene) -> Pair | None:
    if not 0 < len(scene.facts) <= 6:
        return None
    placed = [
        f"a {name} on the {_side(box, scene.image.width)}"
        for name, box in zip(scene.detections.class_name, scene.detections.xyxy, strict=True)
    ]
    return (
        "<DETAILED_CAPTION>",
        f"the image shows {_number(len(placed))} {_s('object', len(placed))}: {', '.join(placed)}.",
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
        f"the image shows {_number(len(placed))} {_s('object', len(placed))}: {', '.join(placed)}.",
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


def _question(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    for _ in range(8):
        pair = _KINDS[int(rng.integers(len(_KINDS)))](rng, scene)
        if pair is not None:
            return f"<VQA>{pair[0]}", pair[1]
    return None


def _count(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) > 12:
        return None
    if rng.random() < 0.5:
        noun = str(rng.choice(["objects", "shapes", "things"]))
        return f"how many {noun} are there?", str(len(scene.facts))
    key = "color" if rng.random() < 0.5 else "shape"
    known = list(COLORS if key == "color" else OUTLINES)
    value = _present(rng, scene, key) if rng.random() < 0.85 else str(rng.choice(known))
    noun = f"{value} objects" if key == "color" else _s(value, 2)
    return f"how many {noun} are there?", str(sum(fact[key] == value for fact in scene.facts))


_POSITIVE = ("is there a {}?", "is there a {} in the image?", "is a {} present?", "does the image contain a {}?")
_NEGATIVE = (
    "is there not a {}?",
    "is there no {} in the image?",
    "is no {} present?",
    "does the image not contain a {}?",
)


def _is_there(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask whether something is there, or is not; yes and no are equally frequent."""
    wanted = bool(rng.random() < 0.5)
    kind = int(rng.integers(3))
    if kind == 2:
        present = set(scene.detections.class_name)
        pool = sorted(present) if wanted else _near_misses(present)
    else:
        key, known = (("color", COLORS), ("shape", OUTLINES))[kind]
        found = {fact[key] for fact in scene.facts}
        pool = sorted(found) if wanted else sorted(set(known) - found)
    if not pool:
        return None
    phrase = str(rng.choice(pool))
    if kind == 0:
        phrase += str(rng.choice([" object", " shape", " thing"]))
    if rng.random() < 0.3:
        return str(rng.choice(_NEGATIVE)).format(phrase), "no" if wanted else "yes"
    return str(rng.choice(_POSITIVE)).format(phrase), "yes" if wanted else "no"


def _near_misses(present: set[str]) -> list[str]:
    """Return absent class names that share a word with a present one."""
    words = {word for name in present for word in name.split() if word != "framed"}
    return [name for name in CLASSES if name not in present and words & set(name.split())]


def _attribute(by: str, asked: str, *wordings: str) -> _Asker:
    """Return what asks for one attribute of an object that another singles out."""

    def asker(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
        frequency = Counter(fact[by] for fact in scene.facts)
        unique = [fact for fact in scene.facts if frequency[fact[by]] == 1]
        if not unique:
            return None
        fact = unique[int(rng.integers(len(unique)))]
        return str(rng.choice(wordings)).format(fact[by]), fact[asked]

    return asker


def _alone(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask about the only object there is."""
    if len(scene.facts) != 1:
        return None
    if rng.random() < 0.5:
        return str(rng.choice(["what color is the {}?", "what is the color of the {}?"])).format(
            rng.choice(["shape", "object"])
        ), scene.facts[0]["color"]
    return str(
        rng.choice(["what shape is in the image?", "what shape is present?", "which shape does the image contain?"])
    ), scene.facts[0]["shape"]


def _at_side(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) < 2:
        return None
    axis, last = int(rng.integers(2)), bool(rng.integers(2))
    middles = scene.detections.xyxy[:, axis] + scene.detections.xyxy[:, axis + 2]
    order = np.argsort(middles)
    first, second = order[::-1][:2] if last else order[:2]
    if abs(middles[first] - middles[second]) < 0.06 * scene.image.width:
        return None
    side = (("left", "right"), ("top", "bottom"))[axis][last]
    return f"what is at the {side}?" if axis else f"what is on the {side}?", scene.detections.class_name[first]


def _largest(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) < 2:
        return None
    width, height = np.diff(scene.detections.xyxy.reshape(-1, 2, 2), axis=1)[:, 0].T
    area = width * height
    order = np.argsort(area)
    if rng.random() < 0.5:
        first, second, wording = order[-1], order[-2], "what is the largest object?"
    else:
        second, first, wording = order[1], order[0], "what is the smallest object?"
    if abs(np.log(area[first] / area[second])) < 0.3:
        return None
    return wording, scene.detections.class_name[first]


def _present(rng: np.random.Generator, scene: WorldScene, key: str) -> str:
    return scene.facts[int(rng.integers(len(scene.facts)))][key]


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


def _s(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}es" if noun.endswith(("cross", "box")) else f"{noun}s"


_KINDS: tuple[_Asker, ...] = (
    _count,
    _count,
    _is_there,
    _is_there,
    _is_there,
    _attribute("shape", "color", "what color is the {}?", "what is the color of the {}?"),
    _attribute("color", "shape", "what shape is the {} object?", "what is the {} object?"),
    _attribute("shape", "texture", "what pattern is the {}?", "what texture has the {}?"),
    _alone,
    _at_side,
    _largest,
)
_LONG_OF_OBJECTS: tuple[tuple[float, _Asker], ...] = (
    (0.52, _detection),
    (0.08, _dense),
    (0.08, _grounding),
    (0.08, _vocabulary),
    (0.1, _proposals),
    (0.07, _detailed),
    (0.07, _more_detailed),
)
_SHORT_OF_OBJECTS: tuple[tuple[float, _Asker], ...] = (
    (0.1, _caption),
    (0.68, _question),
    (0.12, _region_category),
    (0.1, _region_description),
)
_LONG_OF_LINES: tuple[tuple[float, _Asker], ...] = ((0.55, _ocr_with_region), (0.45, _ocr))
_SHORT_OF_WORDS: tuple[tuple[float, _Asker], ...] = (
    (0.35, _ocr),
    (0.3, _region_ocr),
    (0.27, _question_of_words),
    (0.08, _caption),
)
_SHORT_OF_DOCUMENTS: tuple[tuple[float, _Asker], ...] = ((0.3, _region_ocr), (0.65, _document), (0.05, _caption))

ASKED: dict[str, _Asker] = {
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
    "<VQA>": _question,
    "<DocVQA>": _document,
}
"""Every task that these scenes are asked, by its token."""
