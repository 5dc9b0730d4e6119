"""Names of archive members and remote files, chosen by others: they must not lead out of the target folder."""

from __future__ import annotations

import re

__all__ = ["safe_parts"]

_MOST_PARTS, _LONGEST_PART = 100, 255
"""Bounds that file systems and programs can handle; an archive can name a path of any depth."""

_DRIVE = re.compile(r"[A-Za-z]:")


def safe_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a relative POSIX path; an empty tuple if it is the folder itself.

    Args:
        name: for example "train/a.png"; empty parts and "." are left out.

    Raises:
        ValueError: the name is absolute, leads upwards, or holds what file systems interpret otherwise. The message
            continues the name, as in "is an absolute path".
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
