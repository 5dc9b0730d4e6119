"""The page ``docs/rules.md``, made from the rules: ``python -m florence2.reports.rules_page > docs/rules.md``."""

from __future__ import annotations

import sys

from florence2.datasets import RULES, VIEWS, Rule

__all__ = ["rules_page"]

_REPAIRS = {
    "clip": "clip the box to the image",
    "drop-box": "remove the box",
    "drop-row": "remove the row",
    "strip": "write single blanks, none at the ends",
}
_HEAD = """# The rules

<!-- made by `python -m florence2.reports.rules_page > docs/rules.md` -->

Every data set is checked against these rules, and those that [other packages add](own_rule.md), before anything is
trained; Great Expectations calls them. An error keeps rows out of training, a warning is reported, a note is counted.
`validation.on_error` says what errors do to the run:

- `fail` (default): they stop it; the message lists them by file and line.
- `quarantine`: the run goes on without the rows; they are counted and kept in `quarantine.jsonl`.
- `repair`: what has a safe repair below is repaired, also warnings; errors that are left stop the run.

`validation.rules` sets the outcome of a single rule: `box-outside: repair`, `class-rare: ignore`, `box-tiny: fail`.
Only errors that a training survives (marked *) can be set to `warn` or `ignore`.

Everything is counted. The report lists the first 1000 findings of each rule, also in JSON, and prints three with
the remedy; `florence2 validate --all` prints all of them, `--limit` another number.
"""


def rules_page() -> str:
    """Return the page in Markdown."""
    parts = [_HEAD]
    for view in VIEWS:
        parts.append(f"## {view.title}\n")
        parts += [_entry(rule) for rule in RULES if rule.view is view]
    return "\n".join(parts)


def _entry(rule: Rule) -> str:
    mark = "*" if rule.severity == "error" and rule.tolerable else ""
    lines = [
        f"### `{rule.code}` ({rule.severity}{mark})\n",
        f"{_escaped(rule.sentence)} Example: {_quoted(rule.example)}.\n",
        f"Remedy: {_escaped(rule.remedy)}.",
    ]
    if rule.repair is not None:
        lines.append(f"Repair: {_REPAIRS[rule.repair]}.")
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    """Keep tokens such as <OD> from being taken for HTML."""
    return text.replace("<", "\\<")


def _quoted(example: str) -> str:
    return f"`{example}`" if set(example) & set('<{"') else example


if __name__ == "__main__":
    sys.stdout.write(rules_page())
