"""``florence2 score``: predictions of any model against the scores of the official programs."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.testing import CliRunner, Result

from florence2 import cli
from florence2.cli.score import score
from florence2.errors import DatasetError
from florence2.evaluation.metrics.registry import SCORED_TASKS
from florence2.evaluation.scoring.answers import score_answers
from florence2.evaluation.scoring.boxes import COCO_NAMES, score_boxes
from tests import ROOT
from tests.builders import write_lines

ORACLES = ROOT / "tests" / "oracles"
PROBLEMS = json.loads((ORACLES / "coco_map.json").read_text())["problems"]
VQA = json.loads((ORACLES / "vqa_v2.json").read_text())["cases"]
ANLS = [case for case in json.loads((ORACLES / "anls.json").read_text())["cases"] if not case["disputed"]]

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


class TestBoxes:
    @pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["note"])
    def test_the_scores_are_those_of_pycocotools(self, tmp_path: Path, problem: dict[str, Any]) -> None:
        files = coco_files(tmp_path, problem["gt"], problem["dt"])
        result = ran("--task=od", *options(*files), "--json")
        assert result.exit_code == 0
        scores = json.loads(result.stdout)
        assert scores.keys() == {*COCO_NAMES, "per_class"}
        for name, value in problem["expected"].items():
            assert scores[name] == pytest.approx(value, abs=1e-6)
        assert scores["per_class"].keys() == problem["per_class"].keys()
        for category, expected in problem["per_class"].items():
            assert scores["per_class"][category] == pytest.approx(expected, abs=1e-6)

    def test_the_terminal_shows_the_twelve_scores(self, tmp_path: Path) -> None:
        result = ran("--task=od", *options(*coco_files(tmp_path, truth(BOX), [{**BOX, "score": 0.5}])))
        lines = [line.split() for line in result.stdout.splitlines()]
        assert [name for name, _ in lines] == list(COCO_NAMES)
        assert dict(lines)["AP"] == "1.000000"
        assert dict(lines)["AP_large"] == "-1.000000"

    def test_crowds_and_given_areas_count_as_in_coco(self, tmp_path: Path) -> None:
        """A crowd is neither to be found nor a mistake; an area may differ from that of the box."""
        crowd = {"image_id": 1, "category_id": 1, "bbox": [100, 100, 90, 90], "iscrowd": 1, "area": 8100}
        found = [{**BOX, "score": 0.5}, {**crowd, "score": 0.9}]
        scores = score_boxes(*coco_files(tmp_path, truth({**BOX, "area": 100}, crowd), found))
        sizes = [scores.scores[name] for name in ("AP", "AP_small", "AP_medium")]
        assert sizes == pytest.approx([1.0, 1.0, -1.0])
        without_area = score_boxes(*coco_files(tmp_path, truth(BOX), found[:1]))
        assert without_area.scores["AP_small"] == -1.0
        assert without_area.scores["AP_medium"] == pytest.approx(1.0)

    def test_ids_may_be_texts_or_begin_with_0(self, tmp_path: Path) -> None:
        box = {"image_id": "b.png", "category_id": 0, "bbox": [0, 0, 40, 40]}
        dataset = truth({**box, "id": 0}, images=[{"id": "b.png"}, {"id": "a.png"}], categories=[{"id": 0}, {"id": 7}])
        scores = score_boxes(*coco_files(tmp_path, dataset, [{**box, "score": 0.5}]))
        assert scores.scores["AP"] == pytest.approx(1.0)
        assert scores.per_class[0] == pytest.approx({"AP": 1.0, "AP50": 1.0, "AP75": 1.0})
        assert scores.per_class[7] == {"AP": -1.0, "AP50": -1.0, "AP75": -1.0}

    def test_nothing_found_is_zero_and_nothing_to_find_is_undefined_with_a_warning(self, tmp_path: Path) -> None:
        assert score_boxes(*coco_files(tmp_path, truth(BOX), [])).scores["AP"] == 0.0
        result = ran("--task=od", *options(*coco_files(tmp_path, truth(), [{**BOX, "score": 0.5}])), "--json")
        assert result.exit_code == 0
        assert {json.loads(result.stdout)[name] for name in COCO_NAMES} == {-1.0}
        assert "holds no annotations, so no score is defined" in result.stderr

    @pytest.mark.parametrize(
        ("dataset", "results", "message"),
        [
            (truth(BOX), "", "found.json:1: must hold an array, a COCO results list; it is empty"),
            (truth(BOX), {"annotations": []}, "found.json:1: must hold an array"),
            ([], [], "truth.json:1: must hold an object, a COCO data set; it begins with '[]'"),
            ("{", [], "truth.json:1: not valid JSON, expecting a key"),
            (truth(BOX), "[\n{},\n{]", "found.json:3: not valid JSON"),
            (truth(BOX), "[\n3]", "found.json:2: 3 is no JSON object"),
            (truth(BOX, images=[]), [], "truth.json: lacks images or categories"),
            ({"images": IMAGES, "annotations": []}, [], "truth.json: lacks images or categories"),
            (truth(BOX, images=[{"id": 1}, {"id": 1}]), [], "one of the images: id 1 was used in line"),
            (truth(BOX, categories=[{"id": 1}, {"id": True}]), [], "one of the categories: id is True, not a whole"),
            (truth({**BOX, "image_id": 9}), [], "annotation 1: image_id 9 is none of the images"),
            (truth({**BOX, "category_id": 9}), [], "annotation 1: category_id 9 is none of the categories"),
            (truth(BOX, {**BOX, "id": 1}), [], "annotation 2: id 1 was used in line"),
            (truth({**BOX, "area": -1}), [], "annotation 1: area is -1.0, less than 0"),
            (truth({**BOX, "iscrowd": 2}), [], "annotation 1: iscrowd is 2, neither 0 nor 1"),
            (truth({**BOX, "bbox": [0, 0, -1, 1]}), [], "annotation 1: bbox is [0, 0, -1, 1]; its width and height"),
            (truth(BOX), [{**BOX, "score": math.nan}], "result 1: score is nan, not a finite number"),
            (truth(BOX), [BOX], "result 1: no 'score'"),
            (truth(BOX), [{**BOX, "score": 1, "image_id": 9}], "result 1: image_id 9 is none of the images"),
            (truth(BOX), [{**BOX, "score": 1, "category_id": 9}], "result 1: category_id 9 is none of the categories"),
            (truth(BOX), [{**BOX, "score": 1, "bbox": [1, 2]}], "result 1: bbox is [1, 2], not four numbers"),
            (truth(BOX), [{**BOX, "score": 1, "bbox": [0, 0, math.inf, 1]}], "a number of bbox is inf"),
        ],
    )
    def test_the_problem_of_a_file_is_named(self, tmp_path: Path, dataset: Any, results: Any, message: str) -> None:
        with pytest.raises(DatasetError) as raised:
            score_boxes(*coco_files(tmp_path, dataset, results))
        assert message in str(raised.value)

    def test_all_problems_of_both_files_are_reported_together_with_their_lines(self, tmp_path: Path) -> None:
        files = tmp_path / "truth.json", tmp_path / "found.json"
        files[0].write_text(json.dumps(truth({**BOX, "image_id": 9})))
        files[1].write_text(f"[\n{json.dumps({**BOX, 'score': 0.5})},\n" + ",\n".join(['{"image_id": 1}'] * 30) + "]")
        with pytest.raises(DatasetError) as raised:
            score_boxes(*files)
        text = str(raised.value)
        assert text.startswith("31 problems; nothing was scored:")
        assert f"{files[0]}:1: annotation 1: image_id 9" in text
        assert f"{files[1]}:3: result 2: no 'score'" in text
        assert text.endswith("... and 11 more")


class TestAnswers:
    @pytest.mark.parametrize(
        ("task", "cases", "key"), [("vqa", VQA, "accuracy"), ("docvqa", ANLS, "expected")], ids=["vqa", "docvqa"]
    )
    def test_the_values_are_those_of_the_official_programs(
        self, tmp_path: Path, task: str, cases: list[dict[str, Any]], key: str
    ) -> None:
        references = [{"id": case["id"], "answers": case["answers"], "question": "any"} for case in cases]
        predictions = [{"id": case["id"], "prediction": case["prediction"]} for case in reversed(cases)]
        files = answer_files(tmp_path, references, predictions)
        result = ran(f"--task={task}", *options(*files), "--json", "--per-row", tmp_path / "rows.jsonl")
        assert result.exit_code == 0
        rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
        assert [row["id"] for row in rows] == [case["id"] for case in cases]
        assert [row["value"] for row in rows] == pytest.approx([case[key] for case in cases], abs=1e-9)
        shown = json.loads(result.stdout)
        mean = math.fsum(case[key] for case in cases) / len(cases)
        assert shown["mean"] == shown["scores"][shown["metric"]] == pytest.approx(mean, abs=1e-9)
        assert (shown["task"], shown["rows"], shown["missing"]) == (task, len(cases), 0)

    @pytest.mark.parametrize("task", SCORED_TASKS)
    def test_a_perfect_answer_has_the_best_score_of_every_task(self, tmp_path: Path, task: str) -> None:
        words = {"a": "a grey cat sleeps here", "b": "two red rings lie on wood"}
        files = answer_files(
            tmp_path,
            [{"id": own, "answers": [text, "something else"]} for own, text in words.items()],
            [{"id": own, "prediction": text} for own, text in words.items()],
        )
        scores = score_answers(task, *files)
        best = {"caption": 5.0, "ocr": 0.0}.get(task, 1.0)  # a second reference without a common word halves CIDEr
        assert list(scores.scores) == [metric.name for metric in SCORED_TASKS[task]]
        if task == "vqa":
            best = 2 / 3 / 2 / 2  # one of two people said so
            assert scores.values == {"a": pytest.approx(1 / 6), "b": pytest.approx(1 / 6)}
        else:
            assert scores.mean == pytest.approx(best)

    def test_the_command_offers_every_task_of_the_list(self) -> None:
        annotated = get_type_hints(score)["task"]
        assert get_args(annotated) == ("od", *SCORED_TASKS)

    def test_chart_answers_may_be_five_percent_off(self, tmp_path: Path) -> None:
        files = answer_files(
            tmp_path,
            [{"id": 1, "answers": ["100"]}, {"id": 2, "answers": ["100"]}],
            [{"id": 1, "prediction": "104"}, {"id": 2, "prediction": "106"}],
        )
        result = ran("--task=chartqa", *options(*files))
        assert result.stdout.split() == ["mean", "0.500000", "relaxed_accuracy", "0.500000", "rows", "2"]

    def test_the_mean_of_an_error_rate_weighs_rows_and_the_score_characters(self, tmp_path: Path) -> None:
        references = [{"id": 1, "answers": ["ab"]}, {"id": 2, "answers": ["abcdefgh"]}, {"id": 3, "answers": [""]}]
        predictions = [{"id": own, "prediction": text} for own, text in ((1, "xy"), (2, "abcdefgh"), (3, ""))]
        scores = score_answers("ocr", *answer_files(tmp_path, references, predictions))
        assert scores.mean == 0.5
        assert scores.scores["character_error_rate"] == 0.2
        assert scores.values[3] is None

    def test_a_mean_that_is_not_defined_is_no_zero(self, tmp_path: Path) -> None:
        files = answer_files(tmp_path, [{"id": 1, "answers": ["a cat"]}], [{"id": 1, "prediction": "a cat"}])
        result = ran("--task=caption", *options(*files), "--json", "--per-row", tmp_path / "rows.jsonl")
        assert json.loads(result.stdout)["mean"] is None
        assert (tmp_path / "rows.jsonl").read_text() == '{"id": 1, "value": null}\n'
        assert "mean" not in ran("--task=caption", *options(*files)).stdout

    def test_a_missing_prediction_is_an_error_or_an_empty_answer(self, tmp_path: Path) -> None:
        files = answer_files(
            tmp_path, [{"id": 1, "answers": ["two"]}, {"id": 2, "answers": ["two"]}], [{"id": 1, "prediction": "two"}]
        )
        with pytest.raises(DatasetError, match=r"truth.jsonl:2: id 2 is not in .*answers.jsonl; .*--missing empty"):
            score_answers("docvqa", *files)
        result = ran("--task=docvqa", *options(*files), "--missing=empty")
        assert result.exit_code == 0
        assert "mean                     0.500000" in result.stdout
        assert "rows without prediction  1" in result.stdout

    @pytest.mark.parametrize(
        ("references", "predictions", "message"),
        [
            ([], [], "truth.jsonl: is empty"),
            (["", ""], [], "truth.jsonl: is empty"),
            (["{"], ["{}"], "truth.jsonl:1: not valid JSON"),
            (["[]"], ["{}"], "truth.jsonl:1: not a JSON object: []"),
            ([{"id": 1, "answers": ["a"]}], ["{}"], "answers.jsonl:1: no 'id'"),
            ([{"id": 1.5, "answers": ["a"]}], [], "truth.jsonl:1: id is 1.5, not a whole number or a text"),
            ([{"id": 1, "answers": ["a"]}] * 2, [], "truth.jsonl:2: id 1 was used in line 1 already"),
            ([{"id": 1}], [], "truth.jsonl:1: no 'answers'"),
            ([{"id": 1, "answers": []}], [], "truth.jsonl:1: answers is [], not a list of texts"),
            ([{"id": 1, "answers": "a"}], [], "truth.jsonl:1: answers is 'a', not a list of texts"),
            ([{"id": 1, "answers": [2]}], [], "truth.jsonl:1: an answer is 2, not a text"),
            ([{"id": 1, "answers": ["a"]}], [{"id": 1}], "answers.jsonl:1: no 'prediction'"),
            (
                [{"id": 1, "answers": ["a"]}],
                [{"id": 1, "prediction": 2}],
                "answers.jsonl:1: prediction is 2, not a text",
            ),
            (
                [{"id": 1, "answers": ["a"]}],
                [{"id": 1, "prediction": "a"}, {"id": "1", "prediction": "a"}],
                "answers.jsonl:2: id '1' is not among the references",
            ),
            ([{"id": 1, "answers": ["a"]}], [{"id": 1, "prediction": "<s>a</s>"}], "answers.jsonl:1: prediction '<s>a"),
        ],
    )
    def test_the_problem_of_a_file_is_named(
        self, tmp_path: Path, references: list[Any], predictions: list[Any], message: str
    ) -> None:
        with pytest.raises(DatasetError) as raised:
            score_answers("docvqa", *answer_files(tmp_path, references, predictions))
        assert message in str(raised.value)


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
