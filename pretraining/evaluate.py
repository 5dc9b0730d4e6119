"""Measure ``builtin:nano`` on scenes it has never seen: ``python -m pretraining.evaluate --seeds 3``.

Zero-shot detection on scenes of one to three objects of 72 classes (class-aware COCO mAP over the whole set), and
the share of exactly right answers, and the baseline of guesses without the image.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from florence2.builtin.canvas import Scene
from florence2.builtin.shapes import draw_shapes
from florence2.config import EvaluationConfig, ModelConfig
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.inference.generation import predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample
from pretraining.courses import shape_questions
from pretraining.sizes import SIZES

__all__ = ["HELD_OUT", "held_out_scenes", "main", "majority", "measure_answers", "measure_detection"]

HELD_OUT = 1_000_003
"""Begins the seeds of scenes that no pretraining step draws."""
_LONGEST_ANSWER = 64


def held_out_scenes(count: int, seed: int) -> list[Scene]:
    """Draw scenes of one to three objects that no pretraining step draws."""
    rng = np.random.default_rng([HELD_OUT, seed])
    return [draw_shapes(rng, SIZES["nano"].side, 1 + index % 3) for index in range(count)]


def measure_detection(florence2: Florence2, scenes: Sequence[Scene]) -> dict[str, float]:
    """Return COCO's detection scores of ``<OD>`` answers."""
    metric = MeanAveragePrecisionMetric()
    samples = [_sample(scene, shape_questions.detection(scene)) for scene in scenes]
    for scene, prediction in zip(scenes, predict(florence2, samples, _config()), strict=True):
        assert prediction.detections is not None
        metric.update(prediction.detections, scene.detections)
    return metric.compute()


def measure_answers(florence2: Florence2, scenes: Sequence[Scene], task: str, seed: int) -> dict[str, float]:
    """Return the share of exactly right answers of a task, in all and by kind of question.

    Args:
        florence2: the model.
        scenes: to evaluate on.
        task: ``<VQA>``, ``<REGION_TO_CATEGORY>`` or ``<CAPTION>``.
        seed: of the questions.
    """
    rng = np.random.default_rng([HELD_OUT, seed, 1])
    pairs = [_pair_of(rng, scene, task) for scene in scenes]
    samples = [_sample(scene, pair) for scene, pair in zip(scenes, pairs, strict=True)]
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for sample, prediction in zip(samples, predict(florence2, samples, _config()), strict=True):
        hit = prediction.text == sample.suffix
        right["accuracy"].append(hit)
        if task == "<VQA>":
            right[_kind(sample.prefix, sample.suffix)].append(hit)
    scores = {kind: float(np.mean(hits)) for kind, hits in right.items()}
    return scores | {"majority": majority([_kind(*pair) for pair in pairs], [suffix for _, suffix in pairs])}


def majority(kinds: Sequence[str], answers: Sequence[str]) -> float:
    """Return what the most frequent answer of each kind of question is worth, if it were known.

    Args:
        kinds: of the questions.
        answers: the right ones.
    """
    frequency: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, answer in zip(kinds, answers, strict=True):
        frequency[kind][answer] += 1
    return sum(counts.most_common(1)[0][1] for counts in frequency.values()) / len(answers)


def _kind(prefix: str, suffix: str) -> str:
    """Return the kind of a question: its first words, or whether it is answered by yes or no."""
    if not prefix.startswith("<VQA>"):
        return ""
    return "yes/no" if suffix in ("yes", "no") else " ".join(prefix.removeprefix("<VQA>").split()[:2])


def _pair_of(rng: np.random.Generator, scene: Scene, task: str) -> tuple[str, str]:
    if task == "<VQA>":
        return shape_questions.question(rng, scene)
    return (
        shape_questions.region_category(rng, scene)
        if task == "<REGION_TO_CATEGORY>"
        else shape_questions.caption(scene)
    )


def _sample(scene: Scene, pair: tuple[str, str]) -> Sample:
    stream = io.BytesIO()
    scene.image.save(stream, "PNG", compress_level=1)
    return Sample(stream, *pair, scene.image.size)


def _config() -> EvaluationConfig:
    return EvaluationConfig(eval_batch_size=50, max_new_tokens=_LONGEST_ANSWER)


def main() -> None:
    """Run the command line: one JSON line per seed."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.evaluate", description=__doc__)
    parser.add_argument("--model", default="builtin:nano", help="builtin:nano or a folder")
    parser.add_argument("--scenes", type=int, default=600, help="scenes per seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--threads", type=int, default=1, help="CPU cores to use")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    florence2 = load_base(ModelConfig(base=options.model))
    for seed in range(options.seeds):
        scenes = held_out_scenes(options.scenes, seed)
        detection = measure_detection(florence2, scenes)
        scores = {"<OD>": {name: detection[name] for name in ("map50", "map", "map75", "mar_100")}}
        for task in ("<VQA>", "<REGION_TO_CATEGORY>", "<CAPTION>"):
            scores[task] = measure_answers(florence2, scenes, task, seed)
        rounded = {task: {name: round(value, 3) for name, value in kept.items()} for task, kept in scores.items()}
        print(json.dumps({"seed": seed, "scenes": options.scenes, **rounded}))


if __name__ == "__main__":
    main()
