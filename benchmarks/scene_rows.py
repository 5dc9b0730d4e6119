"""Images with boxes for measuring answers: fresh scenes of a seed, or the test split of a data set."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from florence2.builtin.canvas import Scene
from florence2.builtin.cards import CARD_CLASSES, draw_cards
from florence2.builtin.shapes import SHAPE_CLASSES
from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.config import DatasetConfig
from florence2.datasets.ingestion import ingest
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.model.processing import Sample, samples_of
from pretraining.evaluate import held_out_scenes

__all__ = ["BoxRows", "box_rows", "mean_average_precision", "split_rows"]

_CARD_SEED = 5_000_011


@dataclass(frozen=True)
class BoxRows:
    """Images to detect objects in.

    Attributes:
        samples: of a split; most have the prompt ``<OD>``.
        truths: the right boxes of each.
        classes: every class that there is.
    """

    samples: list[Sample]
    truths: list[Detections]
    classes: tuple[str, ...]


def box_rows(source: str, count: int, seed: int) -> BoxRows:
    """Return images with boxes.

    Args:
        source: ``cards`` (the built-in set's classes), ``shapes`` (those of the built-in base), or a data set, whose
            test split is sampled with replacement: a bootstrap.
        count: of images.
        seed: other images with another one.
    """
    rng = np.random.default_rng([_CARD_SEED, seed])
    if source == "cards":
        scenes = [draw_cards(rng, 128, rng.choice(CARD_CLASSES, 1 + index % 3).tolist()) for index in range(count)]
        return BoxRows([_sample(s) for s in scenes], [s.detections for s in scenes], CARD_CLASSES)
    if source == "shapes":
        scenes = held_out_scenes(count, seed)
        return BoxRows([_sample(s) for s in scenes], [s.detections for s in scenes], SHAPE_CLASSES)
    rows = split_rows(source)
    detections = [index for index, row in enumerate(rows.samples) if row.prefix == "<OD>"]
    chosen = rng.choice(detections, count).tolist()
    return BoxRows([rows.samples[index] for index in chosen], [rows.truths[index] for index in chosen], rows.classes)


def split_rows(source: str) -> BoxRows:
    """Return all samples of the test split of a data set, in order; those of other tasks have no annotated boxes."""
    samples = samples_of(ingest(DatasetConfig(source=source)).select("test"))
    truths = [parse_detections(row.suffix if row.prefix == "<OD>" else "", row.resolution_wh) for row in samples]
    return BoxRows(samples, truths, tuple(sorted({name for truth in truths for name in truth.class_name})))


def mean_average_precision(found: Sequence[Detections], truths: Sequence[Detections]) -> dict[str, float]:
    """Return COCO's scores."""
    metric = MeanAveragePrecisionMetric()
    for detections, truth in zip(found, truths, strict=True):
        metric.update(detections, truth)
    return metric.compute()


def _sample(scene: Scene) -> Sample:
    stream = io.BytesIO()
    scene.image.save(stream, "PNG", compress_level=1)
    return Sample(stream, "<OD>", "", scene.image.size)
