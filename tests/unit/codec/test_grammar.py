"""The grammar of answers: what is written can be read, and no text is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.grammar import format_spans, scan_boxes


@given(st.text(st.sampled_from("ab <>loc_-0199")))
def test_scanning_loses_no_text_and_never_fails(text: str) -> None:
    spans, rest = scan_boxes(text)
    written = format_spans((span.class_name, span.bins) for span in spans)
    assert written + rest == text.replace("<loc_-0>", "<loc_0>")


def test_scanning_a_long_text_takes_linear_time() -> None:
    spans, rest = scan_boxes("<" * 1_000_000)
    assert spans == []
    assert len(rest) == 1_000_000
