"""Statistics and drift as tables on the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.drift import compare
from florence2.reports.statistics.terminal import drift_tables, split_title, statistics_tables
from tests.builders import manifest

BOX = "<loc_0><loc_0><loc_250><loc_250>"


def printed(tables: Iterable[Table]) -> str:
    console = Console(file=io.StringIO(), width=160, record=True)
    for table in tables:
        console.print(table)
    return console.export_text()


def test_tables_show_names_as_they_are() -> None:
    text = printed(
        statistics_tables(compute_statistics(manifest({"suffix": f"[red]cat\x1b[2J{BOX}"}, {"split": "test"})))
    )
    assert r"[red]cat\x1b[2J" in text
    assert "\x1b" not in text
    assert [word for word in ("train", "test", "images", "box size") if word not in text] == []


def test_an_empty_set_has_tables() -> None:
    assert len(statistics_tables(compute_statistics(manifest()))) == 2


def test_only_the_most_frequent_classes_are_listed() -> None:
    suffix = "".join(f"kind {number}{BOX}" for number in range(30))
    text = printed(statistics_tables(compute_statistics(manifest({"suffix": suffix}))))
    assert text.count("kind ") == 20
    assert "... 10 more" in text


def test_the_comparison_lists_added_and_removed_classes() -> None:
    before = compute_statistics(manifest(*({"suffix": f"{name}{BOX}"} for name in ("cat", "dog"))))
    after = compute_statistics(manifest(*({"suffix": f"{name}{BOX}"} for name in ("cat", "[b]owl"))))
    text = printed(drift_tables(compare(before, after)))
    assert "added: [b]owl" in text
    assert "removed: dog" in text


def test_what_only_one_set_has_is_marked() -> None:
    question = {"task": "<VQA>", "prefix": "<VQA>Is it?", "suffix": "yes"}
    text = printed(drift_tables(compare(compute_statistics(manifest(question)), compute_statistics(manifest({})))))
    assert "only in one" in text


def test_rows_without_a_split_have_a_title() -> None:
    assert (split_title(""), split_title("test")) == ("no split", "test")
