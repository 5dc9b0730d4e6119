"""Resampled COCO scores: equal to pycocotools on data sets that hold each image as often as its weight says."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import florence2.evaluation.metrics.coco_matching as coco_matching
from florence2.errors import AnswerError
from florence2.evaluation.metrics.coco import (
    SCORE_NAMES,
    coco_scores,
    match_results,
    resampled_classes,
    resampled_scores,
)

CATEGORIES = (3, 5, 8)


def invented(seed: int, images: int, ties: str, crowds: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Invent a data set and results: all sizes, doubles, misses, empty images, a category without truth or results.

    Args:
        seed: of the random numbers.
        images: number of images.
        ties: ``none``, ``some`` (scores of one digit) or ``all`` (every score 1).
        crowds: whether some of the true boxes are crowds.
    """
    random = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image_id in range(1, images + 1):
        for _ in range(random.integers(0, 6)):
            x, y, extent = *random.uniform(0, 200, 2), random.choice([12.0, 30.0, 60.0, 150.0])
            box = [x, y, extent, extent * random.uniform(0.5, 1)]
            category = int(random.choice(CATEGORIES[: random.integers(1, 4)]))
            crowd = int(crowds and random.random() < 0.3)
            annotations.append(
                {"image_id": image_id, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}
            )
            for _ in range(random.integers(0, 4)):
                found = (np.array(box) + random.normal(0, 0.1 * extent, 4)).clip(0).tolist()
                label = category if random.random() < 0.8 else int(random.choice(CATEGORIES))
                results.append({"image_id": image_id, "category_id": label, "bbox": found})
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    for result in results:
        result["score"] = 1.0 if ties == "all" else round(random.random(), 1 if ties == "some" else 12)
    random.shuffle(results)
    dataset = {
        "images": [{"id": image_id} for image_id in range(1, images + 1)],
        "categories": [{"id": category, "name": str(category)} for category in CATEGORIES],
        "annotations": annotations,
    }
    return dataset, results


def copied(
    dataset: dict[str, Any], results: list[dict[str, Any]], weights: NDArray[np.int64]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the data set and results with as many copies of each image as its weight says, side by side."""
    sources = np.repeat(np.arange(1, len(weights) + 1), weights).tolist()
    copies = [
        [
            {**row, "image_id": image_id}
            for image_id, source in enumerate(sources, start=1)
            for row in rows
            if row["image_id"] == source
        ]
        for rows in (dataset["annotations"], results)
    ]
    for number, annotation in enumerate(copies[0], start=1):
        annotation["id"] = number
    images = [{"id": image_id} for image_id in range(1, len(sources) + 1)]
    return {**dataset, "images": images, "annotations": copies[0]}, copies[1]


def official(dataset: dict[str, Any], results: list[dict[str, Any]]) -> tuple[list[float], dict[int, list[float]]]:
    """Return the twelve scores of the reference program, and AP, AP50 and AP75 of each category, -1 if undefined."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"info": {}, **dataset}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results) if results else COCO(), "bbox")
        evaluation.params.imgIds = [image["id"] for image in dataset["images"]]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    classes = {
        category: [float(precision[ious, :, category].mean()) for ious in (slice(None), 0, 5)]
        for category in range(len(CATEGORIES))
    }
    return evaluation.stats.tolist(), classes


@given(
    seed=st.integers(0, 100_000),
    images=st.integers(1, 7),
    ties=st.sampled_from(["none", "some", "all"]),
    crowds=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_equals_pycocotools_on_copied_images(seed: int, images: int, ties: str, crowds: bool) -> None:
    dataset, results = invented(seed, images, ties, crowds)
    assert_equal_to_official(
        dataset, results, np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=3)
    )


def assert_equal_to_official(
    dataset: dict[str, Any], results: list[dict[str, Any]], weights: NDArray[np.int64]
) -> None:
    matches = match_results(dataset, results)
    scores, classes = resampled_scores(matches, weights), resampled_classes(matches, weights)
    for index, counts in enumerate(weights):
        expected, expected_classes = official(*copied(dataset, results, counts))
        got = [float(scores[name][index]) for name in SCORE_NAMES]
        np.testing.assert_allclose(np.nan_to_num(got, nan=-1), expected, rtol=0, atol=1e-12)
        for category, values in expected_classes.items():
            of_class = [float(values[index]) for values in classes[category].values()]
            np.testing.assert_allclose(np.nan_to_num(of_class, nan=-1), values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ties", ["none", "all"])
def test_equals_pycocotools_above_a_hundred_detections_and_with_many_copies(ties: str) -> None:
    dataset, results = invented(5, 3, ties, crowds=True)
    random = np.random.default_rng(0)
    for annotation in dataset["annotations"]:
        box = np.array(annotation["bbox"])
        for _ in range(40):
            shifted = (box + random.normal(0, 0.05 * box[2], 4)).clip(0).tolist()
            score = 1.0 if ties == "all" else float(random.random())
            results.append({"image_id": annotation["image_id"], "category_id": 3, "bbox": shifted, "score": score})
    assert max(Counter((row["image_id"], row["category_id"]) for row in results).values()) > 100
    assert_equal_to_official(dataset, results, np.array([[5, 0, 1], [1, 7, 2]]))


def test_of_equal_scores_in_an_image_all_first_copies_come_before_the_second_copies() -> None:
    dataset, _ = invented(0, 1, "none", crowds=False)
    truth = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 50, 50], "area": 2500, "iscrowd": 0}
    right = {"image_id": 1, "category_id": 3, "bbox": [0, 0, 50, 50], "score": 0.5}
    wrong = {**right, "bbox": [200, 200, 50, 50]}
    dataset["annotations"] = [truth]
    matches = match_results(dataset, [right, wrong])
    # Right, wrong, right, wrong: precision 1 up to half of the truths, then 2/3.
    expected = (51 + 50 * 2 / 3) / 101
    np.testing.assert_allclose(resampled_scores(matches, np.array([[1], [2]]))["map50"], [1, expected])
    assert_equal_to_official(dataset, [right, wrong], np.array([[1], [2]]))


def test_matching_in_chunks_gives_the_same_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, results = invented(6, 8, "some", crowds=True)
    whole = coco_scores(dataset, results)
    monkeypatch.setattr(coco_matching, "_PAIRS_IN_MEMORY", 3)
    assert coco_scores(dataset, results) == whole


def test_every_image_once_is_the_score_itself() -> None:
    dataset, results = invented(2, 6, "some", crowds=True)
    scores = resampled_scores(match_results(dataset, results), np.ones((1, 6), dtype=np.int64))
    defined = {name: float(value[0]) for name, value in scores.items() if not np.isnan(value[0])}
    assert defined == coco_scores(dataset, results).scores


def test_many_resamples_are_those_of_each_alone() -> None:
    dataset, results = invented(3, 8, "some", crowds=True)
    matches = match_results(dataset, results)
    weights = np.random.default_rng(0).multinomial(8, np.full(8, 1 / 8), size=70)
    together = resampled_scores(matches, weights)
    for index in (0, 31, 32, 69):
        alone = resampled_scores(matches, weights[index : index + 1])
        assert {name: value[index] for name, value in together.items()} == pytest.approx(
            {name: value[0] for name, value in alone.items()}, nan_ok=True, abs=1e-12
        )


def test_a_resample_without_truths_defines_nothing() -> None:
    dataset, results = invented(4, 3, "none", crowds=False)
    dataset["annotations"] = [row for row in dataset["annotations"] if row["image_id"] == 1]
    assert dataset["annotations"]
    scores = resampled_scores(match_results(dataset, results), np.array([[0, 2, 1], [0, 0, 0]]))
    assert all(np.isnan(values).all() for values in scores.values())


def test_no_images_no_results_no_categories() -> None:
    dataset, results = invented(4, 3, "none", crowds=False)
    assert coco_scores(dataset, []).scores["map"] == 0
    assert coco_scores({**dataset, "annotations": []}, results).scores == {}
    assert coco_scores({**dataset, "categories": []}, results).scores == {}
    assert coco_scores({"images": [], "categories": [], "annotations": []}, []).scores == {}


def test_an_annotation_of_the_id_0_is_not_found_as_in_pycocotools() -> None:
    dataset, _ = invented(0, 1, "none", crowds=False)
    truth = {"image_id": 1, "category_id": 3, "area": 2500, "iscrowd": 0}
    dataset["annotations"] = [{**truth, "id": 0, "bbox": [0, 0, 50, 50]}, {**truth, "id": 1, "bbox": [90, 0, 50, 50]}]
    results = [{**row, "score": 0.5} for row in dataset["annotations"]]
    assert coco_scores(dataset, results).scores["map"] == pytest.approx(official(dataset, results)[0][0])
    assert coco_scores(dataset, results).scores["map"] < 1


def test_annotations_of_images_and_categories_that_are_not_listed_do_not_count() -> None:
    dataset, results = invented(1, 4, "none", crowds=False)
    before = coco_scores(dataset, results)
    stray = {"id": 999, "image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 0}
    dataset["annotations"] += [{**stray, "image_id": 77}, {**stray, "id": 998, "category_id": 77}]
    assert coco_scores(dataset, [*results, {**results[0], "category_id": 77}]) == before


def test_results_for_an_image_that_is_not_listed_are_refused() -> None:
    dataset, results = invented(1, 4, "none", crowds=False)
    with pytest.raises(AnswerError, match="1 images that the data set does not have, the first of id 77"):
        coco_scores(dataset, [*results, {**results[0], "image_id": 77}])
