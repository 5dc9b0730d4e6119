"""Converting: what is read from the new set is what was in the old one, and a failure leaves nothing behind."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from florence2.codec.grammar import format_spans, scan_boxes
from florence2.codec.locations import BINS, unclamped_bins
from florence2.datasets.conversion import Conversion, convert
from florence2.datasets.formats import read_dataset
from florence2.datasets.formats.coco import write_coco
from florence2.datasets.formats.writing import ImageToWrite, pixel_boxes
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from tests.builders import annotation, manifest, write_dataset, write_image

WRITTEN = ("jsonl", "coco", "voc", "yolo")
BOX = "cat<loc_100><loc_200><loc_300><loc_400>"

Boxes = list[tuple[str, tuple[int, ...]]]


def contents(found: DatasetManifest) -> set[tuple[str, str, str]]:
    """Return split, last name of the image and answer of each row; a run of boxes of one class is split."""
    assert found.table[["line_error", "image_error"]].isna().all(axis=None)
    return {
        (row["split"], row["image"].rpartition("/")[2], format_spans(boxes_of(row["suffix"])))
        for row in found.table.to_dict("records")
    }


def boxes_of(suffix: str) -> Boxes:
    return [
        (span.class_name, span.bins[at : at + 4])
        for span in scan_boxes(suffix)[0]
        for at in range(0, len(span.bins), 4)
    ]


def detections(root: Path, rows: dict[str, list[tuple[str, str]]]) -> DatasetManifest:
    """Return the manifest of image names and ``<OD>`` answers by split, whose images lie in a folder of the split."""
    for split, lines in rows.items():
        for image, _ in lines:
            write_image(root / split / image)
    values = [
        {"split": split, "image": f"{split}/{image}".lstrip("/"), "suffix": suffix}
        for split, lines in rows.items()
        for image, suffix in lines
    ]
    return manifest(*values, root=str(root))


bins = st.integers(0, BINS - 1)
sides = st.one_of(st.integers(1, 10_000), st.sampled_from([1, 2, 3, 7, 999, 1000, 1001, 10_000]))


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, ...]:
    x_min, x_max = sorted((draw(bins), draw(bins)))
    y_min, y_max = sorted((draw(bins), draw(bins)))
    return x_min, y_min, x_max, y_max


names = st.one_of(
    st.sampled_from(["cat", " 9 of clubs ", "no", "1", "null", "x<y & z", 'a"b', "été", "狗", "a: b", "# c", "{d}"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=6),
).filter(lambda name: bool(name.strip()) and "<loc" not in name)


@settings(max_examples=60)
@given(st.lists(st.tuples(names, boxes()), min_size=1, max_size=3), sides, sides)
def test_pixels_of_every_bin_of_every_size_read_back(spans: Boxes, width: int, height: int) -> None:
    image = ImageToWrite("", "a.png", (width, height), (("<OD>", format_spans(spans)),))
    for (name, corners), (wanted, indices) in zip(pixel_boxes(image), spans, strict=True):
        assert name == wanted
        assert unclamped_bins([corners], (width, height, width, height)).tolist() == [list(indices)]
        x_min, y_min, x_max, y_max = corners
        assert 0 <= x_min < x_max <= width
        assert 0 <= y_min < y_max <= height


def test_pixels_of_every_bin_of_a_few_sizes() -> None:
    for side in (1, 2, 3, 640, 999, 1000, 1001, 10_000):
        spans = [("c", (index, index, index, index)) for index in range(BINS)]
        image = ImageToWrite("", "a.png", (side, side), (("<OD>", format_spans(spans)),))
        found = [corners for _, corners in pixel_boxes(image)]
        assert unclamped_bins(found, (side, side, side, side)).tolist() == [list(box) for _, box in spans]


@settings(max_examples=12, deadline=None, phases=set(Phase) - {Phase.explain})
@given(
    st.sampled_from(WRITTEN),
    st.dictionaries(
        st.tuples(st.sampled_from(["train", "valid", "test", ""]), st.sampled_from(["a", "b.c", "d e", "ü"])),
        st.tuples(
            st.sampled_from([(1, 1), (20, 10), (333, 7)]), st.lists(st.tuples(names, boxes()), min_size=1, max_size=3)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_reading_inverts_writing(to: str, images: dict[tuple[str, str], tuple[tuple[int, int], Boxes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        if to == "yolo" and any(split for split, _ in images):  # it cannot say that some have no split
            images = {key: value for key, value in images.items() if key[0]}
        rows = []
        for (split, stem), (size, spans) in images.items():
            image = f"{split}/{stem}.png".lstrip("/")
            write_image(root / "old" / image, size)
            values = {"split": split, "image": image, "width": size[0], "height": size[1]}
            rows.append(values | {"suffix": format_spans(spans)})
        before = manifest(*rows, root=str(root / "old"))
        done = convert(before, root / "new", to)
        after = read_dataset(root / "new")
        assert contents(after) == contents(before)
        assert (done.images, done.rows, done.without_objects, done.skipped) == (len(rows), len(rows), 0, {})
        # What was read is written again without a difference.
        convert(after, root / "again", to)
        assert read_dataset(root / "again").fingerprint == after.fingerprint


@pytest.mark.parametrize("to", WRITTEN)
def test_images_of_one_name_keep_their_splits_and_folders(tmp_path: Path, to: str) -> None:
    last = "test" if to == "yolo" else ""
    rows = {"train": [("x/a.png", BOX), ("y/a.png", BOX)], "valid": [("images/a.png", BOX)], last: [("d/a.png", BOX)]}
    before = detections(tmp_path / "old", rows)
    convert(before, tmp_path / "new", to)
    after = read_dataset(tmp_path / "new")
    assert after.table["split"].tolist() == ["train", "train", "valid", last]
    expected = [(tmp_path / "old" / image).read_bytes() for image in before.table["image"]]
    assert [(after.fetch_root() / image).read_bytes() for image in after.table["image"]] == expected
    assert len(set(expected)) == 4


@pytest.mark.parametrize("to", WRITTEN)
def test_an_image_without_objects(tmp_path: Path, to: str) -> None:
    before = detections(tmp_path / "old", {"train": [("a.png", BOX), ("b.png", "")], "test": [("c.png", "")]})
    done = convert(before, tmp_path / "new", to)
    assert (done.images, done.without_objects) == (3, 2)
    after = read_dataset(tmp_path / "new")
    found = {row["image"].rpartition("/")[2]: row["suffix"] for row in after.table.to_dict("records")}
    # jsonl cannot say it: the image is there without a line.
    assert found == ({"a.png": BOX} if to == "jsonl" else {"a.png": BOX, "b.png": "", "c.png": ""})
    assert sorted(name.rpartition("/")[2] for name in after.images["image"]) == ["a.png", "b.png", "c.png"]


def test_jsonl_keeps_every_task_as_it_is(tmp_path: Path) -> None:
    lines = [
        annotation(),
        annotation(prefix="<VQA>who?", suffix="me\u2028you"),
        annotation(suffix="dog<loc_0><loc_0><loc_9><loc_9>"),
        annotation(prefix="<OCR_WITH_REGION>", suffix="x<loc_0><loc_0><loc_9><loc_0><loc_9><loc_9><loc_0><loc_9>"),
        annotation(prefix="<CAPTION>", suffix="a cat"),
    ]
    before = read_dataset(write_dataset(tmp_path / "old", {"train": lines, "": lines[1:2]}))
    convert(before, tmp_path / "new", "jsonl")
    assert read_dataset(tmp_path / "new").fingerprint == before.fingerprint


def test_images_are_files_of_their_own_names_never_symbolic_links(tmp_path: Path) -> None:
    before = detections(tmp_path / "old", {"train": [("a.png", BOX)]})
    (tmp_path / "old/train/a.png").rename(tmp_path / "old/real.png")
    (tmp_path / "old/train/a.png").symlink_to("../real.png")
    calls: list[tuple[int, int]] = []
    done = convert(before, tmp_path / "deep/new", "yolo", progress=lambda *call: calls.append(call))
    written = tmp_path / "deep/new/train/images/a.png"
    assert written.read_bytes() == (tmp_path / "old/real.png").read_bytes()
    assert not written.is_symlink()
    assert calls == [(1, 1)]
    assert done == Conversion(tmp_path / "deep/new", 1, 1, 0, {})
    assert (tmp_path / "deep/new").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("to", WRITTEN)
def test_images_are_copies_whose_change_leaves_the_source_alone(tmp_path: Path, to: str) -> None:
    before = detections(tmp_path / "old", {"train": [("a.png", BOX)]})
    source = (tmp_path / "old/train/a.png").read_bytes()
    convert(before, tmp_path / "new", to)
    (written,) = (tmp_path / "new").rglob("a.png")
    assert written.read_bytes() == source
    with written.open("ab") as handle:
        handle.write(b"edited")
    assert (tmp_path / "old/train/a.png").read_bytes() == source


class TestRefusals:
    """What cannot be converted is reported, and nothing is written."""

    def refuses(self, before: DatasetManifest, target: Path, message: str, to: str = "coco") -> None:
        there = sorted(target.parent.iterdir())
        with pytest.raises(DatasetError, match=message):
            convert(before, target, to)
        assert sorted(target.parent.iterdir()) == there

    @pytest.mark.parametrize("to", ["coco", "voc", "yolo"])
    def test_rows_that_the_format_cannot_hold(self, tmp_path: Path, to: str) -> None:
        lines = [annotation(prefix="<VQA>a?"), annotation(), annotation(prefix="<VQA>b?"), annotation()]
        before = read_dataset(write_dataset(tmp_path / "old", {"train": lines}))
        message = r"cannot hold 2 of <VQA>, 1 of second <OD> of an image, the first is train/annotations\.jsonl:1"
        self.refuses(before, tmp_path / "new", message, to)
        done = convert(before, tmp_path / "new", to, skip_unsupported=True)
        assert (done.rows, done.skipped) == (1, {"<VQA>": 2, "second <OD> of an image": 1})
        assert len(read_dataset(tmp_path / "new")) == 1

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (
                {"line_error": "not valid JSON"},
                "train/annotations.jsonl:1: train/1.png: not valid JSON; correct .* --on-error repair or quarantine",
            ),
            ({"image_error": "missing: no such file"}, "train/1.png: missing: no such file"),
            ({"suffix": "cat<loc_1><loc_2><loc_1000><loc_3>"}, "<loc_1000> does not exist"),
            ({"suffix": "cat<loc_5><loc_2><loc_1><loc_3>"}, "x_min 5 > x_max 1"),
            ({"suffix": BOX + "cat<loc_5><loc_2><loc_1><loc_3>", "box_lines": "7 9"}, r"annotations\.jsonl:9: 'cat'"),
            ({"suffix": "cat<loc_1><loc_2><loc_3>"}, "3 location tokens"),
            ({"suffix": "cat"}, "'cat' has no location tokens"),
            ({"task": "<OCR_WITH_REGION>", "suffix": "a<loc_-1>"}, "location -1 is not within 0 and 999"),
        ],
    )
    def test_rows_that_break_a_rule(self, tmp_path: Path, values: dict[str, Any], message: str) -> None:
        for to in ("jsonl", "coco"):
            self.refuses(manifest(values, root=str(tmp_path / "old")), tmp_path / "new", message, to)

    def test_targets_that_are_in_use(self, tmp_path: Path) -> None:
        before = detections(tmp_path / "old", {"train": [("a.png", BOX)]})
        (tmp_path / "used").mkdir()
        (tmp_path / "used/file").touch()
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        for target in ("used", "used/file", "link"):
            self.refuses(before, tmp_path / target, "is not an empty folder")
        self.refuses(before, tmp_path / "old/new", "lies in the data set")
        self.refuses(before, tmp_path / "new", "cannot write 'pdf'; give one of jsonl, coco, voc, yolo", "pdf")
        self.refuses(before, tmp_path / ("x" * 300), "cannot be written .File name too long.; give another folder")
        (tmp_path / "empty").mkdir()
        assert convert(before, tmp_path / "empty", "coco").images == 1

    def test_an_image_that_leads_out_or_is_gone(self, tmp_path: Path) -> None:
        before = detections(tmp_path / "old", {"train": [("a.png", BOX), ("b.png", BOX)]})
        (tmp_path / "old/train/b.png").unlink()
        self.refuses(before, tmp_path / "new", r"b\.png: can no longer be read")
        write_image(tmp_path / "b.png")
        (tmp_path / "old/train/b.png").symlink_to(tmp_path / "b.png")
        self.refuses(before, tmp_path / "new", r"b\.png: leads out of the data set's folder")

    def test_names_that_a_format_cannot_hold(self, tmp_path: Path) -> None:
        before = detections(tmp_path / "old", {"train": [("a.png", BOX), ("a.jpg", BOX)]})
        for to in ("voc", "yolo"):
            self.refuses(before, tmp_path / "new", r"'a\.png' and 'a\.jpg' differ only in their extension", to)
        self.refuses(detections(tmp_path / "o", {"": [("a.png", "")]}), tmp_path / "new", "needs a class", "yolo")
        mixed = detections(tmp_path / "m", {"train": [("a.png", BOX)], "": [("b.png", BOX)]})
        self.refuses(mixed, tmp_path / "new", "some images have no split and others have one", "yolo")
        bad = detections(tmp_path / "p", {"": [("a.png", "\x01" + BOX)]})
        self.refuses(bad, tmp_path / "new", "which XML cannot hold", "voc")
        hidden = detections(tmp_path / "q", {"": [(".a.png", BOX)]})
        self.refuses(hidden, tmp_path / "new", "YOLO finds images by their extension", "yolo")

    def test_an_interrupt_leaves_nothing(self, tmp_path: Path) -> None:
        before = detections(tmp_path / "old", {"train": [("a.png", BOX)]})

        def interrupt(done: int, of: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            convert(before, tmp_path / "deep/new", "coco", progress=interrupt)
        assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_coco_is_written_as_its_tools_expect(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    write_coco(
        tmp_path, [ImageToWrite("test", "a.png", (200, 100), (("<OD>", BOX + "dog<loc_0><loc_0><loc_999><loc_999>"),))]
    )
    content = json.loads((tmp_path / "test/_annotations.coco.json").read_text())
    assert [category["name"] for category in content["categories"]] == ["cat", "dog"]
    first, second = content["annotations"]
    assert first == {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [20.05, 20.025, 40.1, 20.05], "area": 804.005, "iscrowd": 0
    }  # fmt: skip
    assert second["bbox"] == [0.05, 0.025, 199.9, 99.95]
