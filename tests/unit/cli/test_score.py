"""The command score: its options, exit statuses and output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from florence2 import cli
from tests.builders import write_lines

BOX = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40]}
IMAGES, CATEGORIES = [{"id": 1}, {"id": 2}], [{"id": 1, "name": "ring"}]


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["score", *map(str, words)])


def coco_files(folder: Path, dataset: object, results: object) -> tuple[Path, Path]:
    """Write both files; texts as they are, all else as JSON with a line for each value."""
    files = folder / "truth.json", folder / "found.json"
    for file, content in zip(files, (dataset, results), strict=True):
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=0))
    return files


def truth(*annotations: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    numbered = [{"id": index, **annotation} for index, annotation in enumerate(annotations, start=1)]
    return {"images": IMAGES, "categories": CATEGORIES, "annotations": numbered} | parts


def answer_files(
    folder: Path, references: Sequence[Mapping[str, Any] | str], predictions: Sequence[Mapping[str, Any] | str]
) -> tuple[Path, Path]:
    return write_lines(folder / "truth.jsonl", references), write_lines(folder / "answers.jsonl", predictions)


def options(references: Path, predictions: Path) -> tuple[str | Path, ...]:
    return "--references", references, "--predictions", predictions


class TestCommand:
    def test_bad_files_end_with_status_1_and_nothing_on_standard_output(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["florence2", "score", "--task", "vqa", *map(str, options(tmp_path / "none", tmp_path / "none.jsonl"))]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "none: cannot be read (No such file or directory); check the path" in err
        assert "none.jsonl: cannot be read" in err

    @pytest.mark.parametrize(
        "words",
        [
            ("--task=nope", "--references=a", "--predictions=b"),
            ("--task=vqa", "--references=a"),
            ("--task=od", "--references=a", "--predictions=b", "--per-row=c"),
            ("--task=od", "--references=a", "--predictions=b", "--missing=empty"),
        ],
    )
    def test_a_wrong_command_ends_with_status_2(self, words: tuple[str, ...]) -> None:
        assert ran(*words).exit_code == 2

    def test_values_that_cannot_be_written_are_named(self, tmp_path: Path) -> None:
        files = answer_files(tmp_path, [{"id": 1, "answers": ["a"]}], [{"id": 1, "prediction": "a"}])
        result = ran("--task=vqa", *options(*files), "--per-row", tmp_path / "none" / "rows.jsonl")
        assert "cannot be written" in str(result.exception)

    def test_scoring_needs_no_torch(self, tmp_path: Path) -> None:
        files = coco_files(tmp_path, truth(BOX), [{**BOX, "score": 0.5}])
        code = (
            "import sys; from pathlib import Path; from florence2.evaluation.scoring.boxes import score_boxes; "
            "from florence2.evaluation.scoring.answers import score_answers; import florence2.cli.score; "
            "score_boxes(*map(Path, sys.argv[1:])); "
            "print([name for name in ('torch', 'transformers') if name in sys.modules])"
        )
        ended = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
        assert ended.stdout == "[]\n"
