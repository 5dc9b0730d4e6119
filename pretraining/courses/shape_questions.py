"""What is asked about a scene of shapes and the right answer, in the wording of Florence-2's tasks."""

from __future__ import annotations

import numpy as np

from florence2.builtin.canvas import Scene
from florence2.builtin.shapes import SHAPE_CLASSES, SHAPE_COLORS, SHAPE_OUTLINES
from florence2.codec.answers import format_detections
from florence2.codec.detections import Detections
from florence2.codec.locations import location_token, quantize
from pretraining.course import Pair
from pretraining.facts import near_misses, singled_out

__all__ = ["caption", "detection", "grounding", "question", "region_category"]


def detection(scene: Scene) -> Pair:
    """Ask for all objects; the answer names them from left to right."""
    return "<OD>", format_detections(scene.detections, scene.image.size)


def caption(scene: Scene) -> Pair:
    """Ask for a caption: the objects from left to right."""
    return "<CAPTION>", _listing(scene.detections.class_name)


def grounding(rng: np.random.Generator, scene: Scene) -> Pair:
    """Give a caption of some of the objects and ask where each phrase is."""
    count = len(scene.detections)
    chosen = np.sort(rng.choice(count, size=int(rng.integers(1, count + 1)), replace=False))
    names = tuple(scene.detections.class_name[index] for index in chosen)
    part = Detections(scene.detections.xyxy[chosen], names)
    return f"<CAPTION_TO_PHRASE_GROUNDING>{_listing(names)}", format_detections(part, scene.image.size)


def region_category(rng: np.random.Generator, scene: Scene) -> Pair:
    """Give a box and ask what it holds."""
    index = int(rng.integers(len(scene.detections)))
    box = quantize(scene.detections.xyxy[index : index + 1], scene.image.size)[0]
    region = "".join(location_token(int(value)) for value in box)
    return f"<REGION_TO_CATEGORY>{region}", scene.detections.class_name[index]


def question(rng: np.random.Generator, scene: Scene) -> Pair:
    """Ask a question about the scene; yes and no are equally frequent."""
    kinds = [_count, _count, _is_there, _is_there, _is_there, _which_color, _which_shape, _which_texture, _which_side]
    while True:
        pair = kinds[int(rng.integers(len(kinds)))](rng, scene)
        if pair is not None:
            return f"<VQA>{pair[0]}", pair[1]


def _listing(names: tuple[str, ...]) -> str:
    return " and ".join(f"a {name}" for name in names)


def _count(rng: np.random.Generator, scene: Scene) -> Pair | None:
    if rng.random() < 0.6:
        return "how many objects are there?", str(len(scene.detections))
    color = _some(rng, scene, "color")
    return f"how many {color} objects are there?", str(sum(fact["color"] == color for fact in scene.facts))


def _is_there(rng: np.random.Generator, scene: Scene) -> Pair | None:
    kind = rng.integers(3)
    wanted = bool(rng.random() < 0.5)
    if kind == 2:
        present = set(scene.detections.class_name)
        pool = sorted(present) if wanted else near_misses(present, SHAPE_CLASSES)
        return f"is there a {rng.choice(pool)}?", "yes" if wanted else "no"
    key, known = (("color", SHAPE_COLORS), ("shape", SHAPE_OUTLINES))[int(kind)]
    present = {fact[key] for fact in scene.facts}
    pool = sorted(present) if wanted else sorted(set(known) - present)
    if not pool:
        return None
    noun = " object" if key == "color" else ""
    return f"is there a {rng.choice(pool)}{noun}?", "yes" if wanted else "no"


def _which_color(rng: np.random.Generator, scene: Scene) -> Pair | None:
    return _attribute(rng, scene, "shape", "color", "what color is the {}?")


def _which_shape(rng: np.random.Generator, scene: Scene) -> Pair | None:
    return _attribute(rng, scene, "color", "shape", "what shape is the {} object?")


def _which_texture(rng: np.random.Generator, scene: Scene) -> Pair | None:
    return _attribute(rng, scene, "shape", "texture", "what pattern is the {}?")


def _attribute(rng: np.random.Generator, scene: Scene, by: str, attribute: str, wording: str) -> Pair | None:
    """Ask for one attribute of an object that another attribute singles out."""
    fact = singled_out(rng, scene.facts, by)
    return None if fact is None else (wording.format(fact[by]), fact[attribute])


def _which_side(rng: np.random.Generator, scene: Scene) -> Pair | None:
    if len(scene.detections) < 2:
        return None
    if rng.random() < 0.5:
        return "what is on the left?", scene.detections.class_name[0]
    return "what is on the right?", scene.detections.class_name[-1]


def _some(rng: np.random.Generator, scene: Scene, key: str) -> str:
    """Return a value of an attribute, mostly one that occurs."""
    if rng.random() < 0.8:
        return scene.facts[int(rng.integers(len(scene.facts)))][key]
    return str(rng.choice(list(SHAPE_COLORS)))
