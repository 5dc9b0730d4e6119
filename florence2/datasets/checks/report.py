"""``ValidationReport``: what breaks the rules in a data set, what became of it, and the errors that stop a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from florence2.config import Outcome
from florence2.datasets.checks.definition import Severity
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError, InvalidAnnotationsError
from florence2.printable import printable

__all__ = ["EXAMPLES", "LISTED_PER_RULE", "QuarantinedRow", "ValidationReport", "Violation", "raise_for_errors"]

LISTED_PER_RULE = 1000
"""Violations of one rule that a report lists; the others are counted."""

EXAMPLES = 3
"""Violations of a rule that a text lists unless all are requested."""

_LONGEST_MESSAGE = 1000
"""Characters of one message that are shown: an answer may be a megabyte long."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that breaks one rule.

    Attributes:
        code: the rule's code.
        severity: error, warning or note, by the outcome.
        outcome: what becomes of it: fail, quarantine, repair or warn.
        file: annotation file or image, relative to the data set, or the name of a split.
        line: line in the file, counted from 1; 0 for the file as a whole.
        value: the offending value, not cut.
        message: what is wrong with it.
        remedy: what the user can do about it.
    """

    code: str
    severity: Severity
    outcome: Outcome
    file: str
    line: int
    value: str
    message: str
    remedy: str

    @property
    def location(self) -> str:
        """``file:line``, or the file alone; characters that do not print are escaped."""
        return printable(f"{self.file}:{self.line}" if self.line else self.file)

    @property
    def sentence(self) -> str:
        """``file:line: message`` on one line, unprintable characters escaped and long messages cut."""
        long = len(self.message) > _LONGEST_MESSAGE
        message = f"{self.message[:_LONGEST_MESSAGE]}..." if long else self.message
        return printable(f"{self.location}: {message}")

    def __str__(self) -> str:
        """Return the sentence and the remedy in parentheses, on one line."""
        return f"{self.sentence} {printable(f'({self.remedy})')}"


class QuarantinedRow(NamedTuple):
    """A row that is left out of the run.

    Attributes:
        file: annotation file, relative to the data set.
        line: line in the file, counted from 1.
        codes: of the rules for which it is left out.
        image: path of its image, relative to the data set.
        prefix: task token and input.
        suffix: the answer.
    """

    file: str
    line: int
    codes: tuple[str, ...]
    image: str
    prefix: str
    suffix: str


@dataclass(frozen=True)
class ValidationReport:
    """The result of checking a data set against the rules.

    Attributes:
        rows_checked: rows of the manifest that was checked.
        rows_repaired: rows that were changed, and rows that were removed because they repeat another one.
        counts: how often each broken rule is broken, by its code; exact, also where not everything is listed.
        outcomes: what becomes of those who break each rule that was checked, by its code.
        violations: what was found: first what was repaired, then the rest in the order of the rows; at most
            ``LISTED_PER_RULE`` of each rule, also in JSON.
        quarantine: the rows that are left out of the run, all of them, in their order.
        docs_html: Great Expectations' Data Docs as one HTML page that needs nothing else; of the repaired rows.
    """

    rows_checked: int
    rows_repaired: int
    counts: Mapping[str, int]
    outcomes: Mapping[str, Outcome]
    violations: tuple[Violation, ...]
    quarantine: tuple[QuarantinedRow, ...]
    docs_html: str

    @property
    def rows_quarantined(self) -> int:
        """Rows that are left out of the run."""
        return len(self.quarantine)

    @property
    def rules(self) -> tuple[str, ...]:
        """Codes of the rules that were checked."""
        return tuple(self.outcomes)

    @property
    def errors(self) -> tuple[Violation, ...]:
        """The listed violations that keep rows out of training."""
        return tuple(v for v in self.violations if v.outcome in ("fail", "quarantine"))

    @property
    def warnings(self) -> tuple[Violation, ...]:
        """The listed violations that are only reported."""
        return tuple(v for v in self.violations if v.outcome == "warn" and v.severity == "warning")

    @property
    def notes(self) -> tuple[Violation, ...]:
        """The listed violations that need no attention."""
        return tuple(v for v in self.violations if v.outcome == "warn" and v.severity == "note")

    @property
    def repaired(self) -> tuple[Violation, ...]:
        """The listed violations that were repaired."""
        return tuple(v for v in self.violations if v.outcome == "repair")

    def total(self, *violations: Violation) -> int:
        """Return how often the rules of these violations are broken, listed or not."""
        return sum(self.counts[code] for code in {violation.code for violation in violations})

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; ``from_dict`` is the inverse. Numbers that follow from others are added."""
        return {
            "rows_checked": self.rows_checked,
            "rows_quarantined": self.rows_quarantined,
            "rows_repaired": self.rows_repaired,
            "counts": dict(self.counts),
            "outcomes": dict(self.outcomes),
            "violations": [asdict(violation) for violation in self.violations],
            "quarantine": [row._asdict() | {"codes": list(row.codes)} for row in self.quarantine],
            "docs_html": self.docs_html,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ValidationReport:
        """Build a report from what ``to_dict`` returned."""
        return cls(
            rows_checked=values["rows_checked"],
            rows_repaired=values["rows_repaired"],
            counts=values["counts"],
            outcomes=values["outcomes"],
            violations=tuple(Violation(**violation) for violation in values["violations"]),
            quarantine=tuple(QuarantinedRow(**row | {"codes": tuple(row["codes"])}) for row in values["quarantine"]),
            docs_html=values["docs_html"],
        )

    def summary_text(self, examples: int | None = EXAMPLES) -> str:
        """Describe the report in plain text: totals, then each broken rule with examples and its remedy.

        Args:
            examples: the most violations of a rule to list, the rest is counted; None: all, which are at most
                ``LISTED_PER_RULE`` of each rule.
        """
        totals = (
            f"{_count(self.rows_checked, 'sample')} checked by {_count(len(self.rules), 'rule')}: "
            f"{_count(self.total(*self.errors), 'error')}, {_count(self.total(*self.warnings), 'warning')}"
        )
        if self.notes:
            totals += f", {_count(self.total(*self.notes), 'note')}"
        if self.repaired:
            repairs = (
                f"{_count(self.total(*self.repaired), 'defect')} repaired in {_count(self.rows_repaired, 'sample')}"
            )
            totals += f"; {repairs}"
        if self.quarantine:
            totals += f"; {_count(self.rows_quarantined, 'sample')} quarantined"
        return "\n".join(
            [totals, *self._by_rule((*self.errors, *self.warnings, *self.repaired, *self.notes), examples)]
        )

    def of_errors(self) -> list[str]:
        """Return the lines of each rule that keeps rows out of training, with examples and the remedy."""
        return self._by_rule(self.errors, EXAMPLES)

    def _by_rule(self, violations: Sequence[Violation], examples: int | None) -> list[str]:
        """Return the lines of each rule: how often it is broken, examples, and the remedy."""
        of_rule: dict[str, list[Violation]] = {}
        for violation in violations:
            of_rule.setdefault(violation.code, []).append(violation)
        lines, cut = [], False
        for code, found in of_rule.items():
            shown, count = found[:examples], self.counts[code]
            lines.append(f"{code}: {_count(count, found[0].severity)} ({self.outcomes[code]})")
            lines += [f"  {violation.sentence}" for violation in shown]
            if count > len(shown) > 0:
                lines.append(f"  ... and {count - len(shown)} more")
            cut = cut or len(found) > len(shown)
            lines.append(printable(f"  remedy: {found[0].remedy}"))
        if cut:
            lines.append(f"florence2 validate --all lists up to {LISTED_PER_RULE:,} of each rule")
        return lines


def raise_for_errors(clean: DatasetManifest, report: ValidationReport) -> None:
    """Raise the errors that are to stop the run, and one where nothing is left to train on.

    Args:
        clean: the manifest without quarantined rows.
        report: the report of its validation.

    Raises:
        InvalidAnnotationsError: there are errors that are to stop the run.
        DatasetError: no row, or none for training, is left without an error.
    """
    if not report.errors:
        return
    total = report.total(*report.errors)
    found = f"{_count(total, 'error')} in the annotations of {printable(clean.name)}"
    lines = report.of_errors()
    if any(violation.outcome == "fail" for violation in report.errors):
        able = any(report.outcomes[v.code] == "fail" and v.line for v in report.errors)
        advice = (
            "correct them" + ", or go on without these lines by validation.on_error: quarantine (--on-error)" * able
        )
        raise InvalidAnnotationsError("\n  ".join([f"{found}:", *lines, advice]))
    if not clean.table["split"].isin(["train", ""]).any():
        raise DatasetError("\n  ".join([f"{found}; without these lines there is nothing to train on:", *lines]))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
