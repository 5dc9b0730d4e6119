"""Answers are kept during a run: a killed run is continued, wherever it keeps them."""

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
    return load_base(ModelConfig(base="builtin:nano"))


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


def folder_of(images: ImagesConfig, model_content: str = "m") -> AnswerFolder:
    folder = open_answer_folder(images, model_content, SHORT)
    assert folder is not None
    return folder


def answer(nano: Florence2, images: ImagesConfig, keeper: AnswerFolder | None) -> ImagePredictions:
    folder = Path(images.folder)
    return predict_images(nano, list_images(folder), images.prefix, SHORT, folder, keeper)


def cut_off_after(monkeypatch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Let the model stop after so many answers; returns a list that gets the number of samples of each call."""
    predicted: list[int] = []

    def stopping(florence2: Florence2, samples: Any, config: EvaluationConfig) -> Iterator[Any]:
        predicted.append(len(samples))
        for number, found in enumerate(predict(florence2, samples, config)):
            if number == count and len(predicted) == 1:
                raise KeyboardInterrupt
            yield found

    monkeypatch.setattr("florence2.inference.image_files.predict", stopping)
    monkeypatch.setattr(answer_folder, "_PART_ANSWERS", 2)
    return predicted


def test_a_killed_run_is_continued(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = answer(nano, kept, None)
    predicted = cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, kept, folder_of(kept))
    folder = folder_of(kept)
    assert len(folder.answered()) == 4
    again = answer(nano, kept, folder)
    assert predicted == [8, 4]
    assert [json.loads(line) for line in again.lines()] == [json.loads(line) for line in whole.lines()]
    folder.finish(again)
    files, path = fsspec.core.url_to_fs(folder.location)
    assert not files.exists(f"{path}/.parts")
    files.get(f"{path}/", f"{tmp_path}/copy/", recursive=True)
    assert list(ImagePredictions.load(tmp_path / "copy").lines()) == list(again.lines())
    assert (tmp_path / "copy" / "drawn").is_dir()


def test_another_prompt_model_or_image_is_answered_again(
    nano: Florence2, images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, images, folder_of(images))
    assert len(folder_of(images).answered()) == 4
    assert folder_of(images.model_copy(update={"prefix": "<CAPTION>"})).answered() == {}
    assert folder_of(images, "other model").answered() == {}
    write_image(Path(images.folder) / "0.png", (64, 64), (1, 2, 3))
    predicted = cut_off_after(monkeypatch, 99)
    answer(nano, images, folder_of(images))
    assert predicted == [5]


def test_the_parts_of_another_prompt_stay_when_one_is_finished(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, kept, folder_of(kept))
    other = folder_of(kept.model_copy(update={"prefix": "<CAPTION>"}))
    other.finish(answer(nano, kept, None))
    assert len(folder_of(kept).answered()) == 4


def names_in(folder: AnswerFolder) -> set[str]:
    files, path = fsspec.core.url_to_fs(folder.location)
    return {str(name).rpartition(f"{path}/")[2] for name in files.find(path)}


def test_the_answers_to_another_prompt_replace_all_files_of_the_earlier_one(
    nano: Florence2, kept: ImagesConfig
) -> None:
    detection, folder = answer(nano, kept, None), folder_of(kept)
    folder.finish(detection)
    files, path = fsspec.core.url_to_fs(folder.location)
    own = ["notes.txt", "drawn/notes.txt", "drawn/best.png", "drawn/more/00001_0.png"]
    for name in own:
        files.makedirs(f"{path}/{name}".rpartition("/")[0], exist_ok=True)
        files.pipe_file(f"{path}/{name}", b"of the user")
    assert {"coco_results.json", "coco_dataset.json", "drawn/00001_0.png"} < names_in(folder)
    folder_of(kept).finish(replace(detection, drawn=1))
    assert {name for name in names_in(folder) if name.startswith("drawn/0")} == {"drawn/00001_0.png"}
    caption = kept.model_copy(update={"prefix": "<CAPTION>"})
    folder_of(caption).finish(answer(nano, caption, None))
    assert names_in(folder) == {"predictions.jsonl", "predictions.json", *own}
    assert json.loads(files.cat_file(f"{path}/predictions.json"))["prefix"] == "<CAPTION>"


def test_incomplete_answers_of_an_earlier_run_are_replaced_too(
    nano: Florence2, kept: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(kept)
    files = fsspec.core.url_to_fs(folder.location)[0]
    original = type(files).put_file

    def break_off(self: Any, local: str, remote: str, **options: Any) -> None:
        if remote.endswith("predictions.json"):
            raise KeyboardInterrupt
        original(self, local, remote, **options)

    monkeypatch.setattr(type(files), "put_file", break_off)
    detection = answer(nano, kept, None)
    with pytest.raises(KeyboardInterrupt):
        folder.finish(detection)
    monkeypatch.setattr(type(files), "put_file", original)
    assert "coco_results.json" in names_in(folder)
    caption = kept.model_copy(update={"prefix": "<CAPTION>"})
    folder_of(caption).finish(answer(nano, caption, None))
    assert {name for name in names_in(folder) if not name.startswith(".parts/")} == {
        "predictions.jsonl",
        "predictions.json",
    }


def test_an_image_that_became_unreadable_is_no_error_of_the_folder(nano: Florence2, kept: ImagesConfig) -> None:
    folder = folder_of(kept)
    found = answer(nano, kept, folder)
    (Path(kept.folder) / "0.png").write_bytes(b"no image any more")
    with pytest.raises(DatasetError, match=r"0\.png: unreadable") as raised:
        folder.finish(found)
    assert "cannot be written" not in str(raised.value)
    assert any(name.startswith(".parts/") for name in names_in(folder))


def test_parts_that_cannot_be_read_are_an_error_about_reading(
    images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(images)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("refused")

    monkeypatch.setattr(type(fsspec.filesystem("file")), "ls", refuse)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(PermissionError: refused\)"):
        folder.answered()


def test_an_incomplete_line_is_answered_again(
    nano: Florence2, images: ImagesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        answer(nano, images, folder_of(images))
    (part, *_) = sorted(Path(f"{images.folder}-predictions").rglob("*.jsonl"))
    part.write_bytes(part.read_bytes()[:-20])
    assert len(folder_of(images).answered()) == 3


class OfACaller(MemoryFileSystem):  # type: ignore[misc]
    """Another memory than fsspec's own."""

    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]


def test_the_file_system_of_the_caller_is_used(nano: Florence2, images: ImagesConfig) -> None:
    addresses: list[str] = []

    def file_system(address: str) -> OfACaller:
        addresses.append(address)
        return OfACaller()

    kept = images.model_copy(update={"output": "memory://theirs/answers"})
    folder = open_answer_folder(kept, "m", SHORT, file_system)
    assert folder is not None
    folder.finish(answer(nano, kept, folder))
    assert addresses == ["memory://theirs/answers"]
    assert OfACaller().exists("/theirs/answers/predictions.jsonl")
    assert not fsspec.filesystem("memory").exists("/theirs/answers")


@pytest.mark.parametrize(
    ("folder", "output", "location"),
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
def test_answers_are_kept_next_to_the_images_or_at_the_output(
    folder: str, output: str | None, location: str | None
) -> None:
    assert answers_location(ImagesConfig(folder=folder, output=output)) == location


def test_without_keep_answers_there_is_no_location() -> None:
    assert answers_location(ImagesConfig(folder="/data/photos", keep_answers=False)) is None


@pytest.mark.parametrize(
    ("folder", "location"), [(".", "a/b-predictions"), ("..", "a-predictions"), ("../c", "a/c-predictions")]
)
def test_a_relative_folder_has_its_absolute_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, location: str
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b")
    assert answers_location(ImagesConfig(folder=folder)) == str(tmp_path / location)


def test_an_output_that_cannot_be_written_is_refused_and_a_default_is_skipped(
    images: ImagesConfig, caplog: pytest.LogCaptureFixture
) -> None:
    Path(f"{images.folder}-predictions").write_text("a file instead of a folder")
    with caplog.at_level(logging.WARNING):
        assert open_answer_folder(images, "m", SHORT) is None
    assert "the answers are not kept" in caplog.text
    for wrong in (f"{images.folder}-predictions", "nosuch://a/b?token=secret"):
        with pytest.raises(ConfigurationError, match=r"cannot be written .*; give another images\.output") as refused:
            open_answer_folder(images.model_copy(update={"output": wrong}), "m", SHORT)
        assert "secret" not in str(refused.value)
