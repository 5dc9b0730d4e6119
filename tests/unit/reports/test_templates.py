"""Templates escape what users wrote, and miss nothing quietly."""

from __future__ import annotations

import jinja2
import pytest

from florence2.reports.templates import page_environment


def test_texts_are_escaped_and_filters_are_there() -> None:
    pages = page_environment("florence2.reports.evaluation", {"loud": str.upper})
    assert pages.from_string("{{ name | loud }}").render(name="<b>&") == "&lt;B&gt;&amp;"
    assert "page.html" in pages.list_templates()


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'name' is undefined"):
        page_environment("florence2.reports.evaluation", {}).from_string("{{ name }}").render()
