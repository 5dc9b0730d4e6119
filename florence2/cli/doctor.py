"""The command doctor: a table of the checks, in colours on a terminal, with the remedy for each problem."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from florence2.doctor import Finding

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}

_Findings = dict[str, list["Finding"]]


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
    fix_hints: Annotated[
        bool, typer.Option("--fix-hints", help="Print only the commands that repair what was found, one per line.")
    ] = False,
) -> None:
    """Check the installation, the machine, the stores and the model; ends with status 1 if there is a problem.

    Nothing is changed and nothing is downloaded. A check that hangs or crashes is reported as a problem.
    """
    from florence2.doctor import worst

    start = time.monotonic()
    found = _run_checks()
    levels = [finding.level for findings in found.values() for finding in findings]
    if as_json:
        rows = [{"check": name, **finding.to_dict()} for name, findings in found.items() for finding in findings]
        typer.echo(json.dumps({"level": worst(levels), "findings": rows}, indent=2))
    elif fix_hints:
        fixes = [finding.fix for findings in found.values() for finding in findings if finding.level != "ok"]
        for fix in dict.fromkeys(filter(None, fixes)):
            typer.echo(fix)
    else:
        from rich.console import Console

        Console().print(_table(found))
        typer.echo(f"{_summary(found)} ({time.monotonic() - start:.0f} s)")
    if "problem" in levels:
        raise typer.Exit(1)


def _run_checks() -> _Findings:
    """Run all checks; the terminal shows those that are not finished."""
    from rich.console import Console

    from florence2.doctor import Check, check_terminal, diagnose, known_checks

    checks = known_checks()
    unfinished = [check.name for check in checks]
    with Console(stderr=True).status(f"checking {', '.join(unfinished)}") as status:

        def done(check: Check) -> None:
            unfinished.remove(check.name)
            status.update(f"checking {', '.join(unfinished)}")

        return diagnose(checks, done) | {"terminal": check_terminal(sys.stdout.encoding)}


def _table(found: _Findings) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "", "finding and remedy", show_lines=False)
    for name, findings in found.items():
        for number, finding in enumerate(findings):
            table.add_row(
                "" if number else name,
                Text(finding.level, style=_STYLES[finding.level]),
                Text(finding.message, overflow="fold"),
                end_section=number + 1 == len(findings),
            )
    return table


def _summary(found: _Findings) -> str:
    levels = [finding.level for findings in found.values() for finding in findings]
    counts = [(levels.count("problem"), "problem"), (levels.count("warning"), "warning")]
    counted = " and ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count)
    hints = any(finding.fix and finding.level != "ok" for findings in found.values() for finding in findings)
    more = "; florence2 doctor --fix-hints prints the commands that repair what a command can" if hints else ""
    return f"{counted or 'no problems'}{more}"
