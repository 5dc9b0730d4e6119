"""``FORMATS``: every format of data sets by its name.

To add one: its reader, which ends with a ``Format``, and its line in ``_BUILTIN``. Another package adds one by an entry
point of the group ``florence2.formats``, as docs/own_format.md shows.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint

from florence2.datasets.formats.format import Format
from florence2.errors import ConfigurationError
from florence2.plugins import plugins_of

__all__ = ["AUTO", "ENTRY_POINTS", "FORMATS", "Formats", "format_modules", "unknown_format", "usable"]

logger = logging.getLogger(__name__)

AUTO = "auto"
"""Stands for the format that is recognised by the files."""

ENTRY_POINTS = "florence2.formats"
"""The group of entry points by which other packages add formats."""

_BUILTIN = {
    "jsonl": "florence2.datasets.formats.jsonl:JSONL",
    "coco": "florence2.datasets.formats.coco:COCO",
    "voc": "florence2.datasets.formats.voc:VOC",
    "yolo": "florence2.datasets.formats.yolo:YOLO",
    "labelme": "florence2.datasets.formats.labelme:LABELME",
    "cvat": "florence2.datasets.formats.cvat:CVAT",
    "label-studio": "florence2.datasets.formats.label_studio:LABEL_STUDIO",
    "tf-csv": "florence2.datasets.formats.tf_csv:TF_CSV",
    "imagefolder": "florence2.datasets.formats.imagefolder:IMAGEFOLDER",
}
"""The formats of this package. A reader is imported when its format is used: the command line only needs the names."""


class Formats(Mapping[str, Format]):
    """The formats by name: those of this package, then those of other packages by name.

    A name of this package cannot be replaced by another package. Looking up a format imports its reader.
    """

    def __getitem__(self, name: str) -> Format:
        """Return a format.

        Raises:
            KeyError: there is no format of that name.
            ConfigurationError: it is of another package and cannot be imported, or several packages have it.
        """
        if name in _BUILTIN:
            builtin: Format = EntryPoint(name, _BUILTIN[name], ENTRY_POINTS).load()
            return builtin
        plugins = [plugin for plugin in plugins_of(ENTRY_POINTS) if plugin.name == name]
        if not plugins:
            raise KeyError(name)
        if len(plugins) > 1:
            packages = " and ".join(sorted(plugin.package for plugin in plugins))
            raise ConfigurationError(f"the format {name} is added by {packages}; uninstall all of them but one")
        plugin = plugins[0]
        what = f"the format {name} of {plugin.package}"
        found = plugin.load(what)
        if not isinstance(found, Format):
            raise ConfigurationError(
                f"{what}: {plugin.target} is a {type(found).__name__}, not a florence2.datasets.formats.Format; "
                f"update or uninstall {plugin.package}"
            )
        return found

    def __contains__(self, name: object) -> bool:
        """Return whether there is a format of that name, without importing its reader."""
        return name in _names()

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(_names())

    def __len__(self) -> int:
        """Return the number of names."""
        return len(_names())


FORMATS: Mapping[str, Format] = Formats()
"""Every format by its name."""


def usable(formats: Mapping[str, Format]) -> dict[str, Format]:
    """Return the formats that can be imported, and warn of the others, which are of other packages."""
    usable = {}
    for name in formats:
        try:
            usable[name] = formats[name]
        except ConfigurationError as exc:
            logger.warning("%s; it is left out", exc)
    return usable


def format_modules(name: str) -> list[str]:
    """Return the modules of other packages that may read a data set, sorted; all have been imported.

    Args:
        name: the format of the data set; "auto" stands for every format.

    Raises:
        ConfigurationError: the format of that name cannot be imported.
    """
    if name in FORMATS:
        FORMATS[name]
    loaded = usable(FORMATS) if name == AUTO else {name}
    added = (plugin for plugin in plugins_of(ENTRY_POINTS) if plugin.name in loaded and plugin.name not in _BUILTIN)
    return sorted({plugin.module for plugin in added})


def unknown_format(name: str, formats: Mapping[str, Format]) -> ConfigurationError:
    """Return the error of a name that is not one of the formats."""
    known = [AUTO, *formats]
    near = difflib.get_close_matches(name, known, n=1)
    question = f"did you mean {near[0]}? " if near else ""
    error = ConfigurationError(f"dataset.format: unknown format {name[:80]!r}; {question}known: {', '.join(known)}")
    error.exit_status = 2
    return error


def _names() -> list[str]:
    return list(dict.fromkeys([*_BUILTIN, *(plugin.name for plugin in plugins_of(ENTRY_POINTS))]))
