"""Drift: halves of one set are alike, a real change is found, and only where it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.drift import compare
from florence2.datasets.statistics.summary import DatasetStatistics
from tests.builders import manifest


def street(
    seed: int,
    images: int = 240,
    *,
    scale: float = 1.0,
    shift: int = 0,
    dark: float = 1.0,
    classes: Sequence[str] = ("cat", "dog", "bird"),
    question: str = "",
    prefix: str = "<VQA>",
) -> DatasetManifest:
    """Return a set of images with a class each, one to five boxes of it and a question about it."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    files: dict[str, dict[str, Any]] = {}
    for number in range(images):
        image, name = f"train/{number}.png", classes[int(rng.integers(len(classes)))]
        files[image] = {"brightness": float(np.clip(rng.normal(0.6, 0.1), 0, 1)) * dark}
        suffix = ""
        for _ in range(rng.integers(1, 6)):
            x, y = rng.integers(300, 500, 2) + np.array([shift, 0])
            half = scale * np.exp(rng.normal(np.log(60), 0.4))
            sides = (x - half, y - half, x + half, y + half)
            suffix += name + "".join(f"<loc_{int(np.clip(side, 0, 999))}>" for side in sides)
        rows.append({"image": image, "suffix": suffix})
        text = f"{prefix}{question}{'which one ' * rng.integers(1, 4)}?"
        rows.append({"image": image, "task": "<VQA>", "prefix": text, "suffix": str(rng.integers(200))})
    return manifest(*rows, images=files)


@pytest.fixture(scope="module")
def reference() -> DatasetStatistics:
    return compute_statistics(street(0))


def test_random_halves_of_one_set_are_stable() -> None:
    # By the significance level at most one comparison in a hundred may alarm; the counts of independent observations
    # are cautious, so that of these none does.
    whole = street(7)
    images = np.array(sorted(whole.table["image"].unique()))
    verdicts = []
    for seed in range(8):
        chosen = np.random.default_rng(seed).permutation(images)[: len(images) // 2]
        inside = whole.table["image"].isin(chosen.tolist())
        halves = (compute_statistics(whole.replace_rows(whole.table[rows])) for rows in (inside, ~inside))
        verdicts.append(compare(*halves).verdict)
    assert verdicts == ["stable"] * 8


@pytest.mark.parametrize(
    ("change", "drifted"),
    [
        ({}, set()),
        ({"scale": 2.0}, {"box_size"}),
        ({"shift": 250}, {"box_x"}),
        ({"dark": 0.6}, {"brightness"}),
        ({"classes": ("cat", "dog")}, {"classes"}),
        ({"question": "please tell me now, "}, {"question_length"}),
    ],
)
def test_a_change_is_found_where_it_is(reference: DatasetStatistics, change: dict[str, Any], drifted: set[str]) -> None:
    report = compare(reference, compute_statistics(street(1, **change)))
    assert {feature.name for feature in report.drifted} == drifted
    assert report.verdict == ("drifted" if drifted else "stable")
    assert report.removed == (("bird",) if "classes" in change else ())


def test_boxes_of_one_image_count_as_one_observation() -> None:
    # Ten images with thirty boxes each of one class: which class they have is chance, and one image's at that.
    def crowd(names: str) -> DatasetStatistics:
        box = "<loc_1><loc_1><loc_90><loc_90>"
        return compute_statistics(manifest(*({"suffix": f"{name}{box * 30}"} for name in names)))

    before, after = crowd("aaaaabbbbb"), crowd("aaaaaaabbb")
    assert compare(before, after).verdict == "stable"
    naive = [
        dataclasses.replace(
            each,
            overall=dataclasses.replace(
                each.overall, classes=dataclasses.replace(each.overall.classes, independent=300.0)
            ),
        )
        for each in (before, after)
    ]
    assert [feature.name for feature in compare(*naive).drifted] == ["classes"]


def test_a_large_difference_in_a_few_images_is_no_proof() -> None:
    few = [compute_statistics(manifest({"suffix": f"{name}<loc_1><loc_1><loc_90><loc_90>"})) for name in "ab"]
    report = compare(*few)
    classes = next(feature for feature in report.features if feature.name == "classes")
    assert (classes.distance, classes.verdict) == (1.0, "stable")
    assert classes.p_value is not None
    assert classes.p_value > 0.1
    assert (report.added, report.removed) == (("b",), ("a",))
    assert "1 added, 1 removed" in report.sentence


def test_distance_is_that_of_jensen_and_shannon() -> None:
    # Halves of {1, 0} and {1/2, 1/2}: the divergence is H(3/4, 1/4) - H(1/2, 1/2) / 2 = 0.3113 bits.
    sets = [compute_statistics(manifest(*({"width": width} for width in widths))) for widths in ((9, 9), (9, 90))]
    width = next(feature for feature in compare(*sets).features if feature.name == "image_width")
    assert width.distance == pytest.approx(0.311278**0.5, abs=1e-5)


def test_what_only_one_set_has_is_not_compared(reference: DatasetStatistics) -> None:
    captions = compute_statistics(
        manifest(*({"task": "<CAPTION>", "prefix": "<CAPTION>", "suffix": "a cat"} for _ in range(40)))
    )
    report = compare(reference, captions)
    verdicts = {feature.name: feature.verdict for feature in report.features}
    assert {name for name, verdict in verdicts.items() if verdict == "absent"} == {
        *("classes", "box_size", "box_aspect", "box_x", "box_y", "objects", "question_length"),
    }
    assert verdicts["tasks"] == "drifted"
    assert len(report.removed) == 3
    empty = compute_statistics(manifest())
    assert compare(empty, empty).features == ()
    assert compare(reference, empty).sentence.startswith("Nothing to compare")


def test_many_classes_are_compared_by_the_largest() -> None:
    def zoo(first: int) -> DatasetStatistics:
        box = "<loc_1><loc_1><loc_90><loc_90>"
        return compute_statistics(manifest(*({"suffix": f"kind {first + number}{box}"} for number in range(150))))

    report = compare(zoo(0), zoo(150))
    assert (len(report.added), len(report.removed)) == (150, 150)
    assert [feature.name for feature in report.drifted] == ["classes"]


def test_the_report_is_the_same_each_time_and_goes_into_json(reference: DatasetStatistics) -> None:
    other = compute_statistics(street(3, scale=1.3))
    report = compare(reference, other)
    assert report == compare(reference, other)
    content = json.loads(json.dumps(report.to_dict()))
    assert content["verdict"] == report.verdict
    assert content["classes"] == {"came": [], "went": []}
    assert [each["name"] for each in content["features"]] == [feature.name for feature in report.features]
