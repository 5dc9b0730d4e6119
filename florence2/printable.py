"""Users' texts made safe to print: a file name may hold a newline, or a sequence that gives orders to the terminal."""

from __future__ import annotations

__all__ = ["first_line", "printable"]

_LONGEST = 300


def printable(text: str) -> str:
    r"""Return a text on one line, in which signs that do not print are escaped as Python escapes them.

    Args:
        text: for example the name of a file or class; a newline in it becomes ``\n``, an escape ``\x1b``. Bytes that
            are no UTF-8, which names of files may hold, become escapes as well.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error of another library says, its kind where it says nothing."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(". ")[:_LONGEST]
