"""Checks that the built-in base gives correct answers, on images that are drawn for it."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from florence2.doctor.finding import Finding

if TYPE_CHECKING:
    from PIL import Image

    from florence2.codec import Detections

__all__ = ["check_smoke", "is_right"]

_SEEDS = (10, 13, 22, 23)
"""Seeds of images with one object; the built-in base is certain of each."""
_SIDE = 64
_NEEDED = len(_SEEDS) - 1
"""Another processor rounds differently: at most one answer may be wrong for that reason."""
_LEAST_OVERLAP = 0.5


def check_smoke() -> list[Finding]:
    """Detect objects with ``builtin:nano``, on the GPU if there is one, and compare them with what was drawn."""
    start = time.monotonic()
    import numpy as np

    from florence2.builtin import draw_shapes
    from florence2.config import EvaluationConfig, ModelConfig
    from florence2.inference import predict
    from florence2.model import Sample, best_device, load_base

    scenes = [draw_shapes(np.random.default_rng(seed), _SIDE, 1, (0.45, 0.6)) for seed in _SEEDS]
    samples = [Sample(_png(scene.image), "<OD>", "", (_SIDE, _SIDE)) for scene in scenes]
    florence2 = load_base(ModelConfig(base="builtin:nano"))
    answers = list(predict(florence2, samples, EvaluationConfig(max_new_tokens=32)))
    right = sum(is_right(answer.detections, scene.detections) for answer, scene in zip(answers, scenes, strict=True))
    fact = f"builtin:nano on {best_device()} names and finds {right} of {len(scenes)} objects"
    if right >= _NEEDED:
        return [Finding("ok", f"{fact}, in {time.monotonic() - start:.1f} s with loading")]
    shown = "; ".join(
        f"{answer.text!r} for {scene.detections.class_name[0]}" for answer, scene in zip(answers, scenes, strict=True)
    )
    return [
        Finding(
            "problem",
            f"{fact} ({shown}): the installation computes wrong results; install torch and transformers by the lock, "
            "and see the checks packages and gpu",
        )
    ]


def is_right(found: Detections | None, drawn: Detections) -> bool:
    """Return whether an answer is the one object that was drawn: the same name, and an IoU of at least 0.5."""
    if found is None or found.class_name != drawn.class_name:
        return False
    (ours,), (truth,) = found.xyxy.tolist(), drawn.xyxy.tolist()
    shared = max(0.0, min(ours[2], truth[2]) - max(ours[0], truth[0]))
    shared *= max(0.0, min(ours[3], truth[3]) - max(ours[1], truth[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (ours, truth)]
    return bool(shared >= _LEAST_OVERLAP * (sum(areas) - shared))


def _png(image: Image.Image) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    stream.seek(0)
    return stream
