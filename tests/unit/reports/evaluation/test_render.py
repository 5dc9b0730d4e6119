"""The page of a report: self-contained, escaped, bounded, and saying what it should in words as well as in images."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.comparison import SelectedExamples
from florence2.evaluation.examples import Box, Example, ExampleAnswer
from florence2.evaluation.matching import match_image
from florence2.evaluation.report import ModelEvaluation
from florence2.reports.evaluation.render import render_evaluation
from tests.builders import detections
from tests.reports import AFTER, BEFORE, IMAGE, crowded_page, page, question


class _Outline(HTMLParser):
    """Collects what a screen reader goes by."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[str | None] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag == "svg" and values.get("aria-hidden") != "true":
            self.images.append(values.get("aria-label"))
        if "id" in values:
            self.ids.append(str(values["id"]))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("both", [True, False])
def test_page_needs_nothing_from_elsewhere(both: bool) -> None:
    html = page(both)
    for link in re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", html):
        assert link.startswith(("#", "data:image/"))
    assert "<script" not in html
    assert "@import" not in html
    assert html.count("data:image/png;base64,") == 1
    assert "prefers-color-scheme: dark" in html
    assert "/home/someone" not in html


def test_the_first_sentence_of_the_page_says_that_a_model_is_worth_nothing() -> None:
    guessed = BaselineScores({"vqa_accuracy": 0.295}, {"vqa_accuracy": Comparison(0.009, Interval(-0.02, 0.04), 0.7)})
    base = ModelEvaluation("base", {"vqa_accuracy": 0.014})
    tuned = ModelEvaluation("tuned", {"vqa_accuracy": 0.304}, baseline=guessed)
    compared = {"vqa_accuracy": Comparison(0.29, Interval(0.25, 0.33), 1.0)}
    html = render_evaluation(tuned, base, compared, advice="Try more epochs.")
    body = html[html.index("<h1>") :]
    assert body.index('verdict bad" role="alert">This model is worth nothing') < body.index("Try more epochs.")
    assert 'number better"' not in body, "nothing is green, though the model is better than the base"
    assert '<span class="number bad">+0.009</span>' in body


def test_a_page_without_a_baseline_has_no_column_for_it() -> None:
    html = page(True)
    assert "ithout the image" not in html
    assert "verdict good" not in html


@pytest.mark.parametrize("both", [True, False])
def test_page_can_be_walked_without_eyes(both: bool) -> None:
    outline = _Outline(page(both))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.links
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert all(outline.images)


def test_page_escapes_what_users_and_models_write() -> None:
    nasty = "<script>alert('x')</script>"
    box = Box(nasty, (1, 1, 9, 9), right=False)
    answer = ExampleAnswer(f'" onload="x{nasty}', 0.5, (box,))
    image = match_image(detections((nasty, 0, 0, 9, 9)), detections((nasty, 0, 0, 9, 9), (nasty + "2", 9, 9, 20, 20)))
    sample = question(nasty, 0.0, f"<VQA>{nasty} {nasty}")
    html = render_evaluation(
        ModelEvaluation(nasty, {nasty: 0.5}, {nasty: {"ap50": 0.5}}, {nasty: 1}, analysis=analyse([sample], [image])),
        AFTER,
        {},
        SelectedExamples(
            [Example(nasty, 64, 64, f"<VQA>{nasty}", nasty, nasty, None, answer, answer)],
            [Example(nasty, 64, 64, "<OD>", nasty, nasty, (box,), answer, answer)],
        ),
        {},
        {nasty: nasty},
    )
    assert "<script" not in html
    assert 'onload="' not in html


def test_page_shows_scores_and_how_sure_they_are() -> None:
    text = _Outline(page()).text
    for shown in ("0.710", "▲ +0.690", "0.600 to 0.800", "0.500 to 0.800", "97.0%", "data fingerprint"):
        assert shown in text


def test_page_shows_every_part_that_the_split_has() -> None:
    text = _Outline(page()).text
    for heading in (
        *("All scores", "Invalid answers and speed", "Where it fails", "Precision and recall", "By class"),
        *("Which classes are confused", "By size and by crowding", "Whether confidences can be trusted"),
        *("Questions by type", "Where it does best", "A sample", "What this rests on"),
    ):
        assert heading in text
    for shown in ("how many", "2 boxes", "1 of 2 found, 1 wrong", "Images per second", "2.0", "nothing drawn"):
        assert shown in text


def test_page_of_one_model_has_one_column() -> None:
    text = _Outline(page(both=False)).text
    assert "Evaluation of tuned" in text
    assert "0.600 to 0.800" in text
    for absent in ("Before", "Difference", "fine-tuning"):
        assert absent not in text


def test_page_of_texts_has_no_parts_about_boxes() -> None:
    rows = [question("1", 1.0)]
    text = _Outline(render_evaluation(ModelEvaluation("m", {"vqa_accuracy": 1.0}, analysis=analyse(rows, [])))).text
    assert "Questions by type" in text
    for absent in ("Precision and recall", "By class", "confused", "crowding", "trusted", "unknown classes"):
        assert absent not in text


def test_page_stands_without_examples_and_without_scores() -> None:
    assert "defines no score" in render_evaluation(ModelEvaluation("m"), ModelEvaluation("m"))


def test_page_marks_answers_and_names_the_cut_ones() -> None:
    cut = ExampleAnswer("x", 0.0, cut=True)
    rate = Example(IMAGE, 64, 64, "<OCR>", "abc", "character_error_rate", None, cut, ExampleAnswer("y", 0.3))
    html = render_evaluation(AFTER, BEFORE, examples=SelectedExamples([rate]))
    assert html.count("✓</span>") == 1  # no errors at all, of two answers
    assert "✗</span>" not in html
    assert _Outline(html).text.count("cut") > render_evaluation(AFTER, BEFORE).count("cut")


def test_the_same_report_is_the_same_page() -> None:
    assert crowded_page() == crowded_page()


def test_page_of_answers_in_json_has_a_row_for_each_field() -> None:
    fields = {"total": {"json_field_f1": 0.25, "truths": 4.0}, "shop <b>": {"json_field_f1": 1.0, "truths": 4.0}}
    text = render_evaluation(ModelEvaluation("m", {"json_field_f1": 0.6}, fields))
    assert 'href="#fields"' in text
    assert '<th scope="row">total</th>' in text
    assert "shop &lt;b&gt;" in text
    assert "0.250" in text
    assert "By field" not in page()
