"""What validation found, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from florence2.config import ValidationConfig
from florence2.data.manifest import DatasetManifest
from florence2.data.rules import Severity
from florence2.errors import DatasetError, InvalidAnnotationsError

__all__ = ["ValidationReport", "Violation", "apply_outcome"]

_ERROR_LIMIT = 100


@dataclass(frozen=True)
class Violation:
    """One row that breaks one rule.

    Attributes:
        code: the rule's code.
        severity: error or warning.
        file: annotation file, relative to the data set.
        line: line in the file, counted from 1.
        value: the offending value, whole.
        message: what is wrong with it.
        remedy: what the user can do about it.
    """

    code: str
    severity: Severity
    file: str
    line: int
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return ``file:line: message (remedy)``."""
        return f"{self.file}:{self.line}: {self.message} ({self.remedy})"


@dataclass(frozen=True)
class ValidationReport:
    """The result of checking a data set against the rules.

    Attributes:
        rows_checked: rows of the manifest that was checked.
        rows_quarantined: rows that are left out of the run for an error; 0 where errors stop the run.
        violations: what was found, in the order of the rows.
        rules: codes of the rules that were checked.
        docs_html: Great Expectations' Data Docs as one HTML page that needs nothing else.
    """

    rows_checked: int
    rows_quarantined: int
    violations: tuple[Violation, ...]
    rules: tuple[str, ...]
    docs_html: str

    @property
    def errors(self) -> tuple[Violation, ...]:
        """The violations that keep a row out of training."""
        return tuple(violation for violation in self.violations if violation.severity == "error")

    @property
    def warnings(self) -> tuple[Violation, ...]:
        """The violations that are only told."""
        return tuple(violation for violation in self.violations if violation.severity == "warning")

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; ``from_dict`` is the inverse."""
        return asdict(self) | {
            "violations": [asdict(violation) for violation in self.violations],
            "rules": list(self.rules),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ValidationReport:
        """Build a report from what ``to_dict`` returned."""
        violations = tuple(Violation(**violation) for violation in values["violations"])
        return cls(**{**values, "violations": violations, "rules": tuple(values["rules"])})

    def summary_text(self, limit: int = 20) -> str:
        """Describe the report in plain text.

        Args:
            limit: violations to list, errors first; the rest is counted.

        Returns:
            A line of totals and a line for each violation listed.
        """
        totals = (
            f"{_count(self.rows_checked, 'row')} checked by {_count(len(self.rules), 'rule')}: "
            f"{_count(len(self.errors), 'error')}, {_count(len(self.warnings), 'warning')}"
        )
        if self.rows_quarantined:
            totals += f"; {_count(self.rows_quarantined, 'row')} quarantined"
        return "\n".join([totals, *_listed((*self.errors, *self.warnings), limit)])


def apply_outcome(manifest: DatasetManifest, report: ValidationReport, config: ValidationConfig) -> DatasetManifest:
    """Stop at errors, or go on without the rows that have them.

    Args:
        manifest: the data set that the report is about.
        report: what was found.
        config: whether errors stop the run.

    Returns:
        The manifest without the rows that break a rule of severity error.

    Raises:
        InvalidAnnotationsError: there are errors and they are to stop the run.
        DatasetError: no row, or none for training, is left without an error.
    """
    if not report.errors:
        return manifest
    found = f"{_count(len(report.errors), 'error')} in the annotations of {manifest.root}"
    lines = _listed(report.errors, _ERROR_LIMIT)
    if config.on_error == "fail":
        advice = "correct the lines, or set validation.on_error to quarantine to go on without them"
        raise InvalidAnnotationsError("\n  ".join([f"{found}; {advice}:", *lines]))
    places = {(violation.file, violation.line) for violation in report.errors}
    keys = zip(manifest.table["file"], manifest.table["line"], strict=True)
    clean = manifest.drop(position for position, key in enumerate(keys) if key in places)
    if not clean.table["split"].isin(["train", ""]).any():
        raise DatasetError("\n  ".join([f"{found}; without these lines there is nothing to train on:", *lines]))
    return clean


def _listed(violations: tuple[Violation, ...], limit: int) -> list[str]:
    lines = [str(violation) for violation in violations[:limit]]
    if len(violations) > limit:
        lines.append(f"... and {len(violations) - limit} more")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
