"""Great Expectations finds each defect of a small data set and renders a page that needs no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from florence2.adapters.great_expectations import validate
from florence2.cli import app
from florence2.config import ValidationConfig
from florence2.datasets.checks.check import check_manifest
from florence2.datasets.checks.definition import Finding
from florence2.datasets.checks.report import ValidationReport
from florence2.datasets.checks.rules import RULES
from florence2.datasets.checks.view import View
from florence2.datasets.formats import read_dataset
from florence2.errors import Florence2Error
from tests.builders import annotation, manifest, write_dataset, write_image
from tests.rules import run_rules
from tests.unit.datasets.checks.rules.test_answers import BAD_ANSWERS
from tests.unit.datasets.checks.rules.test_boxes import BAD_BOXES
from tests.unit.datasets.checks.rules.test_lines import BAD_LINES

CONFIG = ValidationConfig(rare_class=0)
BOX = "<loc_1><loc_2><loc_30><loc_40>"

# The lines of train/annotations.jsonl: content, code of the rule that it breaks, part of the message.
DEFECTS: list[tuple[Mapping[str, Any] | str, str, str]] = [
    (annotation("1.png"), "", ""),
    ('{"image": "2.png", ', "line-invalid", "not valid JSON"),
    ('{"image": "gone.png", "prefix": "<OD>", "suffix": "x' + BOX + '"}', "image-missing", "'train/gone.png'"),
    (annotation("4.png"), "image-unreadable", "'train/4.png': not an image of a known format"),
    (annotation("5.png"), "image-truncated", "'train/5.png'"),
    (annotation("6.png", suffix="a<loc_1><loc_2><loc_1000><loc_40>"), "location-unknown", "<loc_1000> does not exist"),
    (annotation("7.png", suffix="a<loc_1><loc_2><loc_3>"), "location-count", "3 location tokens"),
    (annotation("8.png", suffix="a<loc_9><loc_2><loc_3><loc_40>"), "box-inverted", "x_min 9 > x_max 3"),
    (annotation("9.png", suffix=" "), "suffix-empty", "The suffix is empty: ' '"),
    (annotation("10.png", prefix="find cats"), "prefix-without-task", "'find cats'"),
    (annotation("11.png", prefix="<VQA>", suffix="yes"), "prefix-text", "needs a text"),
    (annotation("12.png", prefix="<OD>cats"), "prefix-text", "takes no text"),
    (annotation("13.png", suffix=f"<script>alert(1)</script>{BOX}rest"), "text-without-box", "'rest'"),
    (annotation("14.png", suffix=BOX), "box-without-class", "no class name"),
    ('{"image": "../../x.png", "prefix": "<OD>", "suffix": "x' + BOX + '"}', "image-outside", "'../x.png': leads out"),
    (annotation("1.png"), "row-duplicate", "has the same answer as in train/annotations.jsonl:1"),
    (
        annotation("1.png", suffix=f"other{BOX}"),
        "answer-conflict",
        "has another answer than in train/annotations.jsonl:1",
    ),
    (annotation("18.png"), "image-in-two-splits", "'train/18.png' is the same image as in split test"),
    (annotation("19.png"), "image-empty", "'train/19.png': the file has 0 bytes"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> ValidationReport:
    root = tmp_path_factory.mktemp("broken")
    write_dataset(root, {"train": [line for line, _, _ in DEFECTS], "test": [annotation("1.png"), annotation("2.png")]})
    (root / "train/4.png").write_text("not an image")
    truncated = write_image(root / "train/5.png", size=(200, 200))
    truncated.write_bytes(truncated.read_bytes()[:-30])
    (root / "train/19.png").write_bytes(b"")
    (root / "test/2.png").write_bytes((root / "train/18.png").read_bytes())
    # Images of one colour are all nearly the same.
    return validate(read_dataset(root), ValidationConfig(rules={"image-nearly-in-two-splits": "ignore"}, rare_class=0))[
        1
    ]


def test_each_defect_is_found_once_with_file_line_value_and_remedy(broken: ValidationReport) -> None:
    expected = [(line, code) for line, (_, code, _) in enumerate(DEFECTS, start=1) if code]
    assert [(found.line, found.code) for found in broken.violations] == expected
    for found in broken.violations:
        assert found.file == "train/annotations.jsonl"
        assert DEFECTS[found.line - 1][2] in found.message
        assert found.remedy
    assert {found.code for found in broken.warnings} == {"row-duplicate", "answer-conflict"}
    values = {found.line: found.value for found in broken.violations}
    assert values[3] == "train/gone.png"
    assert values[6] == "a<loc_1><loc_2><loc_1000><loc_40>"
    assert values[9] == " "
    assert values[10] == "find cats"


def test_report_says_what_was_checked(broken: ValidationReport) -> None:
    assert broken.rows_checked == len(DEFECTS) + 2
    assert broken.rows_quarantined == 0
    assert set(broken.rules) == {rule.code for rule in RULES} - {"answer-too-long", "image-nearly-in-two-splits"}
    assert "train/annotations.jsonl:7: 'a' with <loc_1><loc_2><loc_3>: 3 location tokens" in broken.summary_text()


def test_data_docs_need_no_network_and_escape_values(broken: ValidationReport) -> None:
    page = broken.docs_html
    assert not re.search(r"https?://|<script|<link|<img|\bsrc=|@import|url\(", page)
    assert "&lt;loc_1000&gt; does not exist" in page
    assert "train/annotations.jsonl:6" in page
    assert "Expectation Validation Result" in page
    for code in broken.rules:
        assert code in page


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"": [annotation(suffix="cat<loc_1><loc_2><loc_3>")]})
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["validate", str(data), "--report", str(page)])
    assert done.exit_code == 1
    assert ":1: 'cat' with <loc_1><loc_2><loc_3>: 3 location tokens" in done.output
    assert "location-count" in page.read_text()
    assert "&lt;loc_3&gt;: 3 location tokens" in page.read_text()


def test_a_clean_set_has_nothing_to_report(tmp_path: Path) -> None:
    clean, report = validate(read_dataset(write_dataset(tmp_path)), ValidationConfig(rare_class=1))
    warned = {violation.code for violation in report.violations}
    assert warned <= {"image-nearly-in-two-splits"}  # images of one colour
    assert report.errors == ()
    assert report.rows_checked == len(clean) == 3


def test_a_set_without_rows_can_be_checked() -> None:
    clean, report = validate(manifest(splits=["train"]), CONFIG)
    assert len(clean) == 0
    assert report.counts == {"train-empty": 1}


def test_a_rule_that_raises_is_an_error_and_not_one_that_finds_nothing() -> None:
    def fail(view: View[Any]) -> Finding[Any]:
        raise ZeroDivisionError(f"of {len(view.table)} rows")

    rule = replace(RULES[0], code="no-such", find=fail)
    message = f"rule no-such of {__name__} could not be checked: of 1 rows; report this to the authors of the rule"
    with pytest.raises(Florence2Error, match=re.escape(message)):
        validate(manifest({}), CONFIG, rules=(rule,))


def test_it_finds_what_the_rules_find_without_it() -> None:
    images: dict[str, dict[str, Any]] = {"train/1.png": {"mode": "L"}, "train/2.png": {"orientation": 3}, "z.png": {}}
    rows = [
        *(row for row, _, _ in (*BAD_LINES, *BAD_ANSWERS)),
        *({"suffix": suffix} for suffix, _, _ in BAD_BOXES),
        {"sha256": "f"},
    ]
    whole = manifest(*rows, {"sha256": "f", "split": "test", "suffix": f"Cat {BOX}"}, images=images, splits=["valid"])
    found = validate(whole, ValidationConfig())[1]
    expected = check_manifest(whole, ValidationConfig(), RULES, None, run_rules)[1]
    assert found.violations == expected.violations
    assert len(found.counts) > 25
