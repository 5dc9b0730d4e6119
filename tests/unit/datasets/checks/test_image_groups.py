"""Which rows show the same image."""

from __future__ import annotations

from florence2.datasets.checks.image_groups import image_contents, image_groups
from tests.builders import manifest, signatures


def test_an_image_without_a_hash_is_identified_by_its_path() -> None:
    assert image_contents(manifest({"sha256": "a"}, {"sha256": ""})).tolist() == ["a", "train/2.png"]


def test_near_identical_images_share_the_smallest_content() -> None:
    one, other = signatures(2)
    texts = {1: one, 2: other, 3: one}
    rows = manifest(
        *({"sha256": sha256} for sha256 in ("c", "b", "a")),
        images={f"train/{line}.png": {"signature": text} for line, text in texts.items()},
    )
    assert image_groups(rows).tolist() == ["a", "b", "a"]


def test_rows_of_one_image_are_in_one_group_also_without_a_signature() -> None:
    assert image_groups(manifest({"sha256": "a"}, {"sha256": "a"}, {"sha256": "b"})).tolist() == ["a", "a", "b"]
