"""Detection mAP: equal to pycocotools, class-aware, ranked by score, over the whole split."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.errors import AnswerError
from florence2.evaluation.metrics.coco import SCORE_NAMES
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric

Pairs = Sequence[tuple[Detections, Detections]]

NAMES = ("9 of clubs", "t-shirt", "ring")


def boxes(*items: tuple[str, tuple[float, float, float, float], float]) -> Detections:
    """Build detections from class, x_min, y_min, x_max, y_max, and confidence."""
    return Detections(
        np.array([box for _, box, _ in items], dtype=np.float32).reshape(-1, 4),
        tuple(name for name, _, _ in items),
        np.array([score for _, _, score in items], dtype=np.float32),
    )


def metric_of(pairs: Pairs) -> MeanAveragePrecisionMetric:
    metric = MeanAveragePrecisionMetric()
    for prediction, target in pairs:
        metric.update(prediction, target)
    return metric


def random_split(seed: int, images: int = 12) -> list[tuple[Detections, Detections]]:
    """Invent predictions of all sizes: shifted, doubled, missed, mislabelled, without area, on empty images."""
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(images):
        size = random.integers(0, 6)
        corner, extent = random.uniform(0, 300, (size, 2)), random.choice([0, 12, 50, 200], (size, 1))
        truth = np.hstack([corner, corner + extent * random.uniform(0.5, 1, (size, 2))]).astype(np.float32)
        names = tuple(random.choice(NAMES, size))
        found = np.repeat(truth, 2, axis=0) + random.normal(0, 4, (2 * size, 4)).astype(np.float32)
        found = np.vstack([found, truth])[random.random(3 * size) < 0.6]
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2])
        labels = tuple(random.choice([*NAMES, "never seen"], len(found)))
        scores = (random.permutation(10_000)[: len(found)] / 10_000).astype(np.float32)
        pairs.append((Detections(found, labels, scores), Detections(truth, names)))
    return pairs


def pycocotools_scores(pairs: Pairs) -> dict[str, float]:
    """Evaluate the same boxes with the reference program."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    ids = {name: index for index, name in enumerate([*NAMES, "never seen"], start=1)}
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for image_id, pair in enumerate(pairs, start=1):
        for detections, into in zip(pair, rows, strict=True):
            for index, name in enumerate(detections.class_name):
                x, y, x_max, y_max = (float(value) for value in detections.xyxy[index])
                score = 1.0 if detections.confidence is None else float(detections.confidence[index])
                row = {"image_id": image_id, "category_id": ids[name], "bbox": [x, y, x_max - x, y_max - y]}
                area = (x_max - x) * (y_max - y)
                into.append({**row, "id": len(into) + 1, "area": area, "iscrowd": 0, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": index} for index in range(1, len(pairs) + 1)],
            "categories": [{"id": index, "name": name} for name, index in ids.items()],
            "annotations": rows[1],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(rows[0]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(SCORE_NAMES, evaluation.stats.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_metric_equals_pycocotools_on_the_same_boxes(seed: int) -> None:
    pairs = random_split(seed)
    scores = metric_of(pairs).compute()
    for name, value in pycocotools_scores(pairs).items():
        assert scores.get(name, -1) == pytest.approx(value, abs=1e-6)


@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_order_of_images_decides_nothing_even_where_all_scores_tie(seed: int, shuffle: Any) -> None:
    pairs = [
        (Detections(found.xyxy, found.class_name, np.ones(len(found), dtype=np.float32)), truth)
        for found, truth in random_split(seed, images=6)
    ]
    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    first, second = metric_of(pairs), metric_of(shuffled)
    assert first.compute() == second.compute()
    assert first.per_class() == second.per_class()
    assert first.counts() == second.counts()


def test_right_boxes_with_wrong_labels_are_wrong() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1), ("t-shirt", (100, 100, 150, 150), 1))
    swapped = boxes(("t-shirt", (0, 0, 40, 40), 0.9), ("ring", (100, 100, 150, 150), 0.9))
    assert metric_of([(truth, truth)]).compute()["map"] == pytest.approx(1.0)
    assert metric_of([(swapped, truth)]).compute()["map50"] == 0.0


def test_scores_rank_the_boxes() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    right, wrong = ("ring", (0.0, 0.0, 40.0, 40.0)), ("ring", (200.0, 200.0, 240.0, 240.0))
    sure_of_the_right = boxes((*wrong, 0.1), (*right, 0.9))
    sure_of_the_wrong = boxes((*wrong, 0.9), (*right, 0.1))
    assert metric_of([(sure_of_the_right, truth)]).compute()["map50"] == pytest.approx(1.0)
    assert metric_of([(sure_of_the_wrong, truth)]).compute()["map50"] == pytest.approx(0.5)


def test_predictions_without_confidence_are_refused() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    metric = MeanAveragePrecisionMetric()
    with pytest.raises(AnswerError, match="confidence"):
        metric.update(Detections(truth.xyxy, truth.class_name), truth)
    metric.update(Detections(np.zeros((0, 4), dtype=np.float32), ()), truth)
    assert metric.counts()["images"] == 1


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(score: float) -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    with pytest.raises(AnswerError, match="not finite"):
        MeanAveragePrecisionMetric().update(boxes(("ring", (0, 0, 40, 40), score)), truth)
    with pytest.raises(AnswerError, match="not finite"):
        MeanAveragePrecisionMetric().update(boxes(("ring", (0, 0, score, 40), 0.5)), truth)


def test_equal_scores_rank_in_the_order_of_the_answer() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    right, wrong = ("ring", (0.0, 0.0, 40.0, 40.0), 0.5), ("ring", (200.0, 200.0, 240.0, 240.0), 0.5)
    assert metric_of([(boxes(right, wrong), truth)]).compute()["map50"] == pytest.approx(1.0)
    assert metric_of([(boxes(wrong, right), truth)]).compute()["map50"] == pytest.approx(0.5)


def test_the_score_is_of_the_whole_split_and_not_a_mean_over_batches() -> None:
    pairs = random_split(3)
    parts = [metric_of(pairs[start : start + 4]).compute()["map"] for start in range(0, len(pairs), 4)]
    assert metric_of(pairs).compute()["map"] != pytest.approx(np.mean(parts), abs=1e-3)


def test_empty_images_count_neither_as_right_nor_as_wrong() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    metric = metric_of([(truth, truth)] + [(Detections.empty(), Detections.empty())] * 5)
    assert metric.compute()["map"] == pytest.approx(1.0)
    assert metric.counts()["images"] == 6


def test_a_box_on_an_empty_image_is_a_false_positive() -> None:
    truth, invented = boxes(("ring", (0, 0, 40, 40), 0.5)), boxes(("ring", (0, 0, 40, 40), 0.9))
    assert metric_of([(truth, truth), (invented, Detections.empty())]).compute()["map50"] == pytest.approx(0.5)


def test_no_detections_give_zero_and_no_truth_gives_nothing() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    blind = metric_of([(Detections.empty(), truth)])
    assert blind.compute()["map"] == 0.0
    assert blind.per_class() == {"ring": {"ap": 0, "ap50": 0, "ap75": 0, "truths": 1, "predictions": 0}}
    assert metric_of([(truth, Detections.empty())]).compute() == {}
    assert metric_of([(truth, Detections.empty())]).per_class() == {}
    assert MeanAveragePrecisionMetric().compute() == {}


def test_scores_of_sizes_that_do_not_occur_are_absent() -> None:
    small = boxes(("ring", (0, 0, 20, 20), 1))
    scores = metric_of([(small, small)]).compute()
    assert "map_small" in scores
    assert not {"map_medium", "map_large", "mar_medium", "mar_large"} & scores.keys()


def test_unknown_classes_lower_nothing_and_are_counted() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    with_unknown = boxes(("zebra", (0, 0, 40, 40), 0.99), ("ring", (0, 0, 40, 40), 0.5))
    metric = metric_of([(with_unknown, truth)])
    assert metric.compute()["map"] == pytest.approx(1.0)
    assert metric.counts() == {"images": 1, "truths": 1, "predictions": 2, "predictions_of_unknown_classes": 1}


def test_reset_forgets_and_a_later_update_is_seen() -> None:
    truth = boxes(("ring", (0, 0, 40, 40), 1))
    metric = metric_of([(Detections.empty(), truth)])
    assert metric.compute()["map"] == 0.0
    metric.update(truth, truth)
    assert metric.compute()["map"] > 0.0
    metric.reset()
    assert metric.compute() == {}
    assert metric.counts()["images"] == 0


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    metric_of(random_split(1)).compute()
    assert capfd.readouterr() == ("", "")
