"""Files and folders that appear whole, whatever happens meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from florence2.storage.atomic import remove_unfinished, whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_the_place_of_the_one_before_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with whole(tmp_path / "a") as partial:
        partial.write_text("after")
        assert (tmp_path / "a").read_text() == "before"
    assert (tmp_path / "a").read_text() == "after"
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_at_the_end_and_may_have_been_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with whole(tmp_path / "a") as partial:
        partial.mkdir()
        (partial / "b").write_text("b")
        assert names(tmp_path / "a") == []
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["b"])


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("is_folder", [False, True])
def test_an_error_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException], is_folder: bool
) -> None:
    (tmp_path / "a").write_text("before")
    with pytest.raises(error), whole(tmp_path / "a") as partial:
        if is_folder:
            partial.mkdir()
        (partial / "b" if is_folder else partial).write_text("half")
        raise error
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_a_folder_in_which_something_is_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("before")
    with pytest.raises(OSError, match="not empty"), whole(tmp_path / "a") as partial:
        partial.mkdir()
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["b"])


def test_it_may_be_made_elsewhere_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    with whole(tmp_path / "far" / "a", beside=tmp_path) as partial:
        partial.write_text("a")
        assert (partial.parent, names(tmp_path / "far")) == (tmp_path, [])
    assert (names(tmp_path), names(tmp_path / "far")) == (["far"], ["a"])


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    with whole(tmp_path / "a") as one, whole(tmp_path / "a") as other:
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "a").read_text() == "one", "the last to end"
    assert names(tmp_path) == ["a"]


def test_what_a_killed_process_left_goes_at_the_next_try_of_who_is_alone(tmp_path: Path) -> None:
    with whole(tmp_path / "a", alone=True) as partial:
        partial.mkdir()
    (tmp_path / "a").rmdir()
    partial.mkdir()
    (partial / "half").write_text("half")
    with whole(tmp_path / "a", alone=True) as again:
        assert (again, names(tmp_path)) == (partial, [])
        again.mkdir()
    assert names(tmp_path / "a") == []


def test_else_it_goes_after_a_day(tmp_path: Path) -> None:
    for folder in (tmp_path / ".unfinished-old", tmp_path / ".unfinished-new", tmp_path / "finished"):
        folder.mkdir()
        (folder / "half").write_text("half")
    (tmp_path / ".unfinished-file").write_text("half")
    for old in (".unfinished-old", ".unfinished-file", "finished"):
        os.utime(tmp_path / old, (1, 1))
    remove_unfinished(tmp_path)
    assert names(tmp_path) == [".unfinished-new", "finished"]
    remove_unfinished(tmp_path / "nothing")
