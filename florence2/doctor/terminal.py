"""Checks that the terminal can show the characters of class names and tables."""

from __future__ import annotations

from florence2.doctor.finding import Finding

__all__ = ["check_terminal"]

_SIGNS = "é 中 ─"


def check_terminal(encoding: str | None) -> list[Finding]:
    """Check that letters of any language and the lines of tables can be printed.

    Args:
        encoding: of standard output.
    """
    try:
        _SIGNS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return [
            Finding(
                "warning",
                f"the terminal's encoding is {encoding}: other characters of class names and answers are shown as "
                "question marks; set a UTF-8 locale or PYTHONUTF8=1",
                "export PYTHONUTF8=1",
            )
        ]
    return [Finding("ok", f"encoding {encoding}")]
