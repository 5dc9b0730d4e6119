"""Templates escape what users wrote, and a missing value is an error."""

from __future__ import annotations

import jinja2
import pytest

from florence2.datasets.statistics.compute import compute_statistics
from florence2.evaluation.report import ModelEvaluation
from florence2.promotion.decision import Decision
from florence2.reports.evaluation.render import render_evaluation
from florence2.reports.promotion_page import render_decision
from florence2.reports.statistics.page import render_statistics
from florence2.reports.templates import render_template
from tests.builders import manifest

SNIPPET = {"folder": "<b>&", "prompt": "<OD>", "kind": "text", "dtype": "float32", "transformers": "5.0"}


def test_texts_are_escaped_unless_the_template_is_code() -> None:
    assert 'folder = "&lt;b&gt;&amp;"' in render_template("load_transformers.md", SNIPPET)
    assert 'folder = "<b>&"' in render_template("load_transformers.md", SNIPPET, escape=False)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'kind' is undefined"):
        render_template("load_transformers.md", {})


def test_all_pages_share_one_layout_and_style() -> None:
    found = manifest({"suffix": "cat<loc_1><loc_2><loc_3><loc_4>", "image_error": "gone"})
    pages = (
        render_decision(Decision(verdict="nothing", why="There is no challenger.")),
        render_evaluation(ModelEvaluation("m")),
        render_statistics(compute_statistics(found), found, None),
    )
    style = render_template("style.html", {})
    for page in pages:
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</main>\n</body>\n</html>")
        assert style in page
        assert page.count("<main>") == page.count("<h1") == 1
