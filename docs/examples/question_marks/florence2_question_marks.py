"""A rule of one's own: a question ends with a question mark."""

from __future__ import annotations

from florence2.datasets.checks import Finding, Row, RowsView, rule

__all__ = ["question_unmarked"]


@rule(
    RowsView,
    "warning",
    remedy="end the question with a question mark",
    example='"prefix": "<VQA>Is it red"',
)
def question_unmarked(view: RowsView) -> Finding[Row]:
    """A question does not end with a question mark."""
    prefixes = view.table["prefix"]
    return Finding(
        prefixes.str.startswith("<VQA>") & ~prefixes.str.rstrip().str.endswith("?"),
        lambda row: f"{row['prefix']!r} has no question mark at its end",
        lambda row: row["prefix"],
    )
