"""Answers are kept while they are made: a run that was cut off is gone on with, wherever it keeps them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from florence2.config import EvaluationConfig, ImagesConfig, ModelConfig
from florence2.errors import ConfigurationError, DatasetError
from florence2.images.listing import list_images
from florence2.inference import answer_folder
from florence2.inference.answer_folder import AnswerFolder, answers_location, open_answer_folder
from florence2.inference.generation import predict
from florence2.inference.image_files import ImagePredictions, predict_images
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from tests.builders import write_image

SHORT = EvaluationConfig(max_new_tokens=8, eval_batch_size=2)


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig())


@pytest.fixture
def images(tmp_path: Path) -> ImagesConfig:
    for number in range(8):
        write_image(tmp_path / "photos" / f"{number}.png", (64, 64))
    (tmp_path / "photos" / "bad.png").write_bytes(b"no image")
    return ImagesConfig(folder=str(tmp_path / "photos"))


@pytest.fixture(params=[None, "memory://bucket/answers"])
def kept(request: pytest.FixtureRequest, images: ImagesConfig) -> Iterator[ImagesConfig]:
    yield images.model_copy(update={"output": request.param})
    fsspec.filesystem("memory").store.clear()


def place_of(images: ImagesConfig, model_content: str = "m") -> AnswerFolder:
    place = open_answer_folder(images, model_content, SHORT)
    assert place is not None
    return place


def answer(nano: Florence2, images: ImagesConfig, place: AnswerFolder | None) -> ImagePredictions:
    folder = Path(images.folder)
    return predict_images(nano, list_images(folder), images.prefix, SHORT, folder, place)


def cut_off_after(monkeypatch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Let the model stop after so many answers; returns a list that gets the number of samples of each call."""
    asked: list[int] = []

    def stopping(florence2: Florence2, samples: Any, config: EvaluationConfig) -> Iterator[Any]:
        asked.append(len(samples))
        for number, found in enumerate(predict(florence2, samples, config)):
            if number == count and len(asked) == 1:
                raise KeyboardInterrupt
            yield found

    monkeypatch.setattr("florence2.inference.image_files.predict", stopping)
    monkeypatch.setattr(answer_folder, "_PART_ANSWERS", 2)
    return asked


def test_a_run_that_was_cut_off_is_gone_on_with(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = answer(nano, kept, None)
    asked = cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, kept, place_of(kept))
    place = place_of(kept)
    assert len(place.answered()) == 4
    again = answer(nano, kept, place)
    assert asked == [8, 4]
    assert [json.loads(line) for line in again.lines()] == [json.loads(line) for line in whole.lines()]
    place.finish(again)
    files, path = fsspec.core.url_to_fs(place.place)
    assert not files.exists(f"{path}/.parts")
    files.get(f"{path}/", f"{tmp_path}/copy/", recursive=True)
    assert list(ImagePredictions.load(tmp_path / "copy").lines()) == list(again.lines())
    assert (tmp_path / "copy" / "drawn").is_dir()


def test_another_question_another_model_and_another_image_are_answered_afresh(
    nano: Florence2, images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, images, place_of(images))
    assert len(place_of(images).answered()) == 4
    assert place_of(images.model_copy(update={"prefix": "<CAPTION>"})).answered() == {}
    assert place_of(images, "other model").answered() == {}
    write_image(Path(images.folder) / "0.png", (64, 64), (1, 2, 3))
    asked = cut_off_after(monkeypatch, 99)
    answer(nano, images, place_of(images))
    assert asked == [5]


def test_the_parts_of_another_question_stay_where_one_is_finished(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, kept, place_of(kept))
    other = place_of(kept.model_copy(update={"prefix": "<CAPTION>"}))
    other.finish(answer(nano, kept, None))
    assert len(place_of(kept).answered()) == 4


def names_in(place: AnswerFolder) -> set[str]:
    files, path = fsspec.core.url_to_fs(place.place)
    return {str(name).rpartition(f"{path}/")[2] for name in files.find(path)}


def test_the_answers_to_another_prompt_replace_all_files_of_the_earlier_one(
    nano: Florence2, kept: ImagesConfig
) -> None:
    detection, place = answer(nano, kept, None), place_of(kept)
    place.finish(detection)
    files, path = fsspec.core.url_to_fs(place.place)
    own = ["notes.txt", "drawn/notes.txt", "drawn/best.png", "drawn/more/00001_0.png"]
    for name in own:
        files.makedirs(f"{path}/{name}".rpartition("/")[0], exist_ok=True)
        files.pipe_file(f"{path}/{name}", b"of the user")
    assert {"coco_results.json", "coco_dataset.json", "drawn/00001_0.png"} < names_in(place)
    place_of(kept).finish(replace(detection, drawn=1))
    assert {name for name in names_in(place) if name.startswith("drawn/0")} == {"drawn/00001_0.png"}
    caption = kept.model_copy(update={"prefix": "<CAPTION>"})
    place_of(caption).finish(answer(nano, caption, None))
    assert names_in(place) == {"predictions.jsonl", "predictions.json", *own}
    assert json.loads(files.cat_file(f"{path}/predictions.json"))["prefix"] == "<CAPTION>"


def test_what_is_left_of_answers_that_were_half_written_is_replaced_as_well(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(kept)
    files = fsspec.core.url_to_fs(place.place)[0]
    original = type(files).put_file

    def break_off(self: Any, local: str, remote: str, **options: Any) -> None:
        if remote.endswith("predictions.json"):
            raise KeyboardInterrupt
        original(self, local, remote, **options)

    monkeypatch.setattr(type(files), "put_file", break_off)
    detection = answer(nano, kept, None)
    with pytest.raises(KeyboardInterrupt):
        place.finish(detection)
    monkeypatch.setattr(type(files), "put_file", original)
    assert "coco_results.json" in names_in(place)
    caption = kept.model_copy(update={"prefix": "<CAPTION>"})
    place_of(caption).finish(answer(nano, caption, None))
    assert {name for name in names_in(place) if not name.startswith(".parts/")} == {
        "predictions.jsonl",
        "predictions.json",
    }


def test_an_image_that_became_unreadable_is_no_error_of_the_folder(nano: Florence2, kept: ImagesConfig) -> None:
    place = place_of(kept)
    found = answer(nano, kept, place)
    (Path(kept.folder) / "0.png").write_bytes(b"no image any more")
    with pytest.raises(DatasetError, match=r"0\.png: unreadable") as raised:
        place.finish(found)
    assert "cannot be written" not in str(raised.value)
    assert any(name.startswith(".parts/") for name in names_in(place))


def test_parts_that_cannot_be_read_are_an_error_about_reading(
    images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(images)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("refused")

    monkeypatch.setattr(type(fsspec.filesystem("file")), "ls", refuse)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(PermissionError: refused\)"):
        place.answered()


def test_a_line_that_was_half_written_is_answered_again(
    nano: Florence2, images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, images, place_of(images))
    (part, *_) = sorted(Path(f"{images.folder}-predictions").rglob("*.jsonl"))
    part.write_bytes(part.read_bytes()[:-20])
    assert len(place_of(images).answered()) == 3


class OfACaller(MemoryFileSystem):  # type: ignore[misc]
    """Another memory than fsspec's own."""

    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]


def test_the_file_system_of_a_caller_is_used_where_it_gives_one(nano: Florence2, images: ImagesConfig) -> None:
    asked: list[str] = []

    def file_system(address: str) -> OfACaller:
        asked.append(address)
        return OfACaller()

    kept = images.model_copy(update={"output": "memory://theirs/answers"})
    place = open_answer_folder(kept, "m", SHORT, file_system)
    assert place is not None
    place.finish(answer(nano, kept, place))
    assert asked == ["memory://theirs/answers"]
    assert OfACaller().exists("/theirs/answers/predictions.jsonl")
    assert not fsspec.filesystem("memory").exists("/theirs/answers")


@pytest.mark.parametrize(
    ("folder", "output", "place"),
    [
        ("/data/photos/", None, "/data/photos-predictions"),
        ("/data/photos.zip", None, "/data/photos-predictions"),
        ("/data/photos.v2", None, "/data/photos.v2-predictions"),
        ("/data/photos.tar.gz", None, "/data/photos-predictions"),
        ("s3://bucket/photos", None, "s3://bucket/photos-predictions"),
        ("s3://bucket/photos.zip", None, "s3://bucket/photos-predictions"),
        ("https://example.org/photos.zip", None, None),
        ("builtin:cards", None, None),
        ("/data/photos", "beside", "/data/photos-predictions"),
        ("/data/photos", "none", None),
        ("/data/photos", "./none", "./none"),
        ("/data/photos", "./beside", "./beside"),
        ("/data/photos", "gs://bucket/answers", "gs://bucket/answers"),
    ],
)
def test_answers_are_kept_beside_the_images_or_where_it_is_said(
    folder: str, output: str | None, place: str | None
) -> None:
    assert answers_location(ImagesConfig(folder=folder, output=output)) == place


def test_answers_that_are_not_kept_are_nowhere() -> None:
    assert answers_location(ImagesConfig(folder="/data/photos", keep_answers=False)) is None


@pytest.mark.parametrize(
    ("folder", "place"), [(".", "a/b-predictions"), ("..", "a-predictions"), ("../c", "a/c-predictions")]
)
def test_a_folder_is_named_by_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, place: str
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b")
    assert answers_location(ImagesConfig(folder=folder)) == str(tmp_path / place)


def test_a_place_that_cannot_be_written_is_left_out_or_told(
    images: ImagesConfig, caplog: pytest.LogCaptureFixture
) -> None:
    Path(f"{images.folder}-predictions").write_text("a file in its place")
    with caplog.at_level(logging.WARNING):
        assert open_answer_folder(images, "m", SHORT) is None
    assert "the answers are not kept beside the images" in caplog.text
    for wrong in (f"{images.folder}-predictions", "nosuch://a/b?token=secret"):
        with pytest.raises(ConfigurationError, match=r"cannot be written .*; give another images\.output") as told:
            open_answer_folder(images.model_copy(update={"output": wrong}), "m", SHORT)
        assert "secret" not in str(told.value)
