"""Which files of a folder are images, by their names."""

from __future__ import annotations

import functools
import logging
import os
from pathlib import Path

from PIL import Image

from florence2.images.files import FORMATS
from florence2.storage import is_file_inside

__all__ = ["is_image_name", "list_images"]

logger = logging.getLogger(__name__)


def list_images(root: Path) -> list[str]:
    """Return the sorted paths, relative to a folder, of the files in it that have the suffix of an image.

    Left out are hidden files and folders, pipes, devices, and symbolic links that lead out of the folder. Links to
    folders are not followed. A name that is not valid UTF-8 cannot be stored as text: its file or folder is left out
    with a warning.
    """
    suffixes = _suffixes()
    top = os.path.realpath(root)
    names: list[str] = []
    invalid: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = os.scandir(os.path.join(root, folder))  # noqa: PTH118 - a Path for each of a million files is slow
        except OSError:
            continue  # without permission: its images are reported as unreadable where samples name them
        with entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and not entry.name.lower().endswith(suffixes):
                    continue
                if not _is_text(entry.name):
                    invalid.append(folder + entry.name)
                elif is_folder:
                    folders.append(f"{folder}{entry.name}/")
                elif entry.is_file(follow_symlinks=False) or (entry.is_symlink() and is_file_inside(entry.path, top)):
                    names.append(folder + entry.name)
    if invalid:
        logger.warning(
            "%s: %d files or folders have names that are not valid UTF-8 and are left out, such as %a; rename them",
            root,
            len(invalid),
            min(invalid),
        )
    return sorted(names)


def is_image_name(name: str) -> bool:
    """Return whether a file is named like an image that can be opened."""
    return name.lower().endswith(_suffixes())


@functools.cache
def _suffixes() -> tuple[str, ...]:
    Image.init()
    return tuple(suffix for suffix, name in Image.registered_extensions().items() if name in (*FORMATS, "MPO"))


def _is_text(name: str) -> bool:
    """Return whether a name of the file system is valid UTF-8; Python marks invalid bytes by surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
