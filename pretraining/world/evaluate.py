"""Measure a base on scenes of the wide world it has never seen, task by task, without fine-tuning.

    python -m pretraining.world.evaluate --model builtin:small --scenes 400 --seeds 3

Every task has scenes of its own: one to eight objects (six for detailed captions, four for more detailed
ones), signs of one to three lines, documents of two to four. Each score has a baseline without
the image: for answers in words the most frequent answer of each kind of question, for boxes and texts the right answer
to another scene of as many objects or lines.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rapidfuzz.distance import Levenshtein

from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.codec.regions import parse_proposals, parse_quads
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.config import EvaluationConfig, ModelConfig
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.inference.generation import predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample
from pretraining.course import Pair, as_pixels
from pretraining.evaluate import HELD_OUT, majority
from pretraining.world.questions import PAIRS_BY_TASK, pair_of_task
from pretraining.world.scenes import WorldScene, draw_world, vary

__all__ = ["held_out", "main", "measure", "word_accuracy"]

_READING = ("<OCR>", "<OCR_WITH_REGION>", "<REGION_TO_OCR>")


def held_out(count: int, seed: int, side: int, task: str) -> list[tuple[WorldScene, Pair]]:
    """Draw scenes that no pretraining step draws, each with a prompt and its answer.

    Args:
        count: how many.
        seed: of scenes and questions.
        side: width and height of the images in pixels.
        task: its token.
    """
    rng = np.random.default_rng([HELD_OUT, seed, sorted(PAIRS_BY_TASK).index(task)])
    found: list[tuple[WorldScene, Pair]] = []
    while len(found) < count:
        index = len(found)
        if task == "<DocVQA>" or (task in _READING and index % 2):
            scene = draw_world(rng, side, "document", 2 + index // 2 % 3)
        elif task in _READING:
            scene = draw_world(rng, side, "words", 1 + index % 3, (0.1, 0.2))
        else:
            wanted = 1 + index % 8
            scene = draw_world(rng, side, "objects", wanted, (0.1, min(0.5, 1.2 / np.sqrt(wanted))))
        pair = pair_of_task(rng, scene, task) if scene.facts or scene.lines else None
        if pair is not None:
            found.append((scene, pair))
    return found


def measure(florence2: Florence2, task: str, count: int, seed: int, side: int) -> dict[str, float]:
    """Return the scores of a task.

    Args:
        florence2: the model.
        task: its token.
        count: scenes to evaluate on.
        seed: of the scenes.
        side: width and height in pixels of the scenes.

    Returns:
        ``map50`` of boxes, ``word accuracy`` of what is read, ``accuracy`` of other answers (of ``<VQA>`` also by
        ``yes or no`` and ``open``), and ``blind``: the baseline of the first of them.
    """
    drawn = held_out(count, seed, side, task)
    pixels = vary(as_pixels([scene for scene, _ in drawn]).float() / 255, (HELD_OUT, seed))
    samples = [
        Sample(_png(array), *pair, (side, side))
        for array, (_, pair) in zip(pixels.mul(255).byte().permute(0, 2, 3, 1).numpy(), drawn, strict=True)
    ]
    config = EvaluationConfig(eval_batch_size=50, max_new_tokens=256)
    predictions = list(predict(florence2, samples, config))
    answers = [prediction.text for prediction in predictions]
    truths = [suffix for _, (_, suffix) in drawn]
    kind = TASKS[task].answer
    if kind in (AnswerKind.BOXES, AnswerKind.PROPOSALS):
        true_boxes = [_detections(truth, task, side) for truth in truths]
        guessed = [
            _sure(_detections(text, task, side)) for text in _of_others(truths, [len(each) for each in true_boxes])
        ]
        found = [
            _sure(_detections(prediction.text, task, side)) if prediction.detections is None else prediction.detections
            for prediction in predictions
        ]
        return {"map50": _map50(found, true_boxes), "blind": _map50(guessed, true_boxes)}
    if task in _READING:
        guessed_texts = _of_others(truths, [(scene.kind, len(scene.lines)) for scene, _ in drawn])
        read, guesses, true = (
            [_words(text, task, side) for text in texts] for texts in (answers, guessed_texts, truths)
        )
        return {"word accuracy": word_accuracy(read, true), "blind": word_accuracy(guesses, true)}
    hits: defaultdict[str, list[bool]] = defaultdict(list)
    for answer, suffix in zip(answers, truths, strict=True):
        hits["accuracy"].append(answer == suffix)
        if task == "<VQA>":
            hits["yes or no" if suffix in ("yes", "no") else "open"].append(answer == suffix)
    scores = {name: float(np.mean(values)) for name, values in hits.items()}
    return scores | {"blind": majority([_kind(*pair) for _, pair in drawn], truths)}


def _png(pixels: NDArray[np.uint8]) -> io.BytesIO:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream


def word_accuracy(read: Sequence[Sequence[str]], true: Sequence[Sequence[str]]) -> float:
    """Return the share of words that are read rightly and in order: one less the word error rate, at least 0."""
    wrong = sum(Levenshtein.distance(one, other) for one, other in zip(read, true, strict=True))
    return max(0.0, 1.0 - wrong / sum(map(len, true)))


def _of_others(truths: Sequence[str], groups: Sequence[Hashable]) -> list[str]:
    """Return for each scene the right answer to the next of its group; of one that is alone, nothing."""
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    others = [""] * len(truths)
    for alike in members.values():
        for index, other in zip(alike, [*alike[1:], alike[0]], strict=True):
            if other != index:
                others[index] = truths[other]
    return others


def _words(text: str, task: str, side: int) -> list[str]:
    return " ".join(parse_quads(text, (side, side)).text if task == "<OCR_WITH_REGION>" else [text]).split()


def _map50(found: Sequence[Detections], true: Sequence[Detections]) -> float:
    metric = MeanAveragePrecisionMetric()
    for boxes, truth in zip(found, true, strict=True):
        metric.update(boxes, truth)
    return float(metric.compute()["map50"])


def _detections(text: str, task: str, side: int) -> Detections:
    reader = parse_proposals if task == "<REGION_PROPOSAL>" else parse_detections
    return reader(text, (side, side))


def _sure(boxes: Detections) -> Detections:
    return Detections(boxes.xyxy, boxes.class_name, np.ones(len(boxes), dtype=np.float32))


def _kind(prefix: str, suffix: str) -> str:
    """Return the kind of a question: its first words, or whether it is answered by yes or no."""
    task, text = TASKS.split_prefix(prefix)
    if suffix in ("yes", "no"):
        return "yes or no"
    return " ".join(text.split()[:3]) if "VQA" in task.token else ""


def main() -> None:
    """Run the command line: one JSON line per task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:small", help="a built-in base or a folder")
    parser.add_argument("--scenes", type=int, default=400, help="scenes per task and seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--tasks", nargs="+", default=list(PAIRS_BY_TASK), choices=list(PAIRS_BY_TASK))
    parser.add_argument("--threads", type=int, default=1, help="CPU cores to use")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    florence2 = load_base(ModelConfig(base=options.model))
    side = florence2.processor.image_processor.size["height"]
    for task in options.tasks:
        seeds = [measure(florence2, task, options.scenes, seed, side) for seed in range(options.seeds)]
        print(
            json.dumps({"task": task, **{name: [round(seed[name], 3) for seed in seeds] for name in seeds[0]}}),
            flush=True,
        )


if __name__ == "__main__":
    main()
