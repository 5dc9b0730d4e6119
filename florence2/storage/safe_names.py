"""Names that others chose, of archive members and remote files: they may not lead out of the folder they go to."""

from __future__ import annotations

import re

__all__ = ["safe_parts"]

_MOST_PARTS, _LONGEST_PART = 100, 255
"""Bounds of what file systems hold and programs walk through; an archive can spell a path of any depth."""

_DRIVE = re.compile(r"[A-Za-z]:")


def safe_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a relative POSIX path; none if it names the folder itself.

    Args:
        name: for example "train/a.png"; empty parts and "." are left out.

    Raises:
        ValueError: the name is absolute, leads upwards, or holds what file systems take for something else. The
            message says which, in words that follow the name.
    """
    if name.startswith("/") or _DRIVE.match(name):
        raise ValueError("is an absolute path")
    if "\\" in name:
        raise ValueError("holds a backslash")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise ValueError("holds a control character")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise ValueError("leads out of the folder")
    if len(parts) > _MOST_PARTS or any(len(part.encode("utf-8", "surrogatepass")) > _LONGEST_PART for part in parts):
        raise ValueError(f"has more than {_MOST_PARTS} folders, or a name of more than {_LONGEST_PART} bytes")
    return parts
