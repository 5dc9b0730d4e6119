"""The Pascal VOC format, read and written.

    Annotations/a.xml  JPEGImages/a.jpg  ImageSets/Main/train.txt, val.txt, test.txt     as Pascal VOC has it
    train/a.xml        train/a.jpg       and so on for valid/ and test/                  as Roboflow exports it

A row is an XML file: prefix ``<OD>``, the boxes in the order of the file. Coordinates are used as they are: VOC counts
pixels from 1, but most sets of today count from 0. A file does not declare which, and the difference is less than a bin
in all but small images. ``trainval.txt`` is the training split only if there is neither train.txt nor val.txt. A file
in no list has no split; one in two lists has a row in each, so that validation reports it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    contents_of,
    entries,
    join,
    read_bytes,
    read_text,
    split_folders,
)
from florence2.datasets.formats.format import Format, Writer
from florence2.datasets.formats.reading import starts_like
from florence2.datasets.formats.values import BadValueError, checked_name, joined
from florence2.datasets.formats.voc_xml import SIDES, VocContent, parse_voc
from florence2.datasets.formats.writing import ImageToWrite, pixel_boxes, unique_stems
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError, DatasetError
from florence2.images import list_images

__all__ = ["VOC"]

_LARGEST_XML = 16 << 20
_LARGEST_LIST = 256 << 20
_LISTS = "ImageSets/Main"
_IMAGES = "JPEGImages"
_Listing = tuple[str, str, list[tuple[int, str]]]
"""A list of a split: the file, the split, and the lines that are not blank with their numbers."""

_PROBED = 5
_OTHER_ROOT = re.compile(rb"\A[^<]*(?:<[?!][^>]*>[^<]*)*<(?!annotation[\s/>])[A-Za-z]")
"""XML whose first element is of another tool, as <annotations> of CVAT."""

_NOT_XML = re.compile("[\\x00-\\x08\\x0b-\\x1f\\ufffe\\uffff]")


def is_voc(root: Path) -> bool:
    """Return whether a folder holds annotations in this format."""
    return any(
        folder.lower() == "annotations" or not starts_like(root, join(folder, name), _OTHER_ROOT)
        for _, folder, files in _find_sources(root)
        for name in files[:_PROBED]
    )


def read_voc(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder in the Pascal VOC format.

    Args:
        root: the folder.
        verify: read every image file again, also if its size and time are unchanged.

    Returns:
        A row for each XML file, in the order train, valid, test, none.

    Raises:
        DatasetError: there is no XML file, or a list of ImageSets cannot be read.
    """
    sources = [source for source in _find_sources(root) if source[2]]
    if not sources:
        raise DatasetError(
            f"{root}: no Pascal VOC annotations found; it must hold Annotations/*.xml and {_IMAGES}/, or train/*.xml "
            f"next to the images (likewise valid/, test/); it holds {contents_of(root)}"
        )
    images = _ImageIndex(list_images(root))
    rows: list[Annotation] = []
    splits = [split for split, _, _ in sources]
    for split, folder, files in sources:
        if folder.lower() == "annotations":
            listings = _read_lists(root)
            splits += [listing[1] for listing in listings]
            rows += _read_listed(root, folder, files, listings, images)
        else:
            rows += [_read_file(root, split, join(folder, name), name, [folder], images) for name in files]
    order = ("train", "valid", "test", "")
    rows.sort(key=lambda row: order.index(row.split))
    return to_manifest(root, rows, filter(None, splits), verify=verify)


def _find_sources(root: Path) -> list[tuple[str, str, list[str]]]:
    """Find the XML files: split, folder, and their paths relative to it."""
    for name in entries(root):
        if name.lower() == "annotations" and (files := _xml_files(root / name, nested=True)):
            return [("", name, files)]
    return [(split, folder, _xml_files(root / folder, nested=bool(folder))) for split, folder in split_folders(root)]


def _xml_files(folder: Path, *, nested: bool) -> list[str]:
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if nested and not name.startswith(".")]
        above = Path(path).relative_to(folder).as_posix()
        found += [posixpath.normpath(join(above, name)) for name in names if name.lower().endswith(".xml")]
    for name in found:
        try:
            checked_name(name, "the name of a file")
        except BadValueError as exc:
            raise DatasetError(f"{folder}: {exc}; rename the file") from None
    return sorted(found)


def _read_listed(
    root: Path, folder: str, files: list[str], listings: list[_Listing], images: _ImageIndex
) -> Iterator[Annotation]:
    """Read the XML files of a folder in the splits in which ImageSets lists them."""
    known = {name[:-4]: name for name in files}
    folders = [_IMAGES, *(name for name in entries(root) if name.lower() in ("jpegimages", "images")), "", folder]
    listed = set()
    for file, split, stems in listings:
        for line, text in stems:
            names = (text, text.strip(), posixpath.splitext(text.strip())[0], text.split()[0])
            stem = next((name for name in names if name in known), None)
            if stem is None:
                error = f"{text.strip()[:80]!r} is listed, but there is no {folder}/{text.strip()[:80]}.xml"
                yield Annotation(split, "", file, line, "<OD>", "", error=error)
                continue
            listed.add(stem)
            yield _read_file(root, split, join(folder, known[stem]), known[stem], folders, images)
    for stem, name in known.items():
        if stem not in listed:
            yield _read_file(root, "", join(folder, name), name, folders, images)


def _read_lists(root: Path) -> list[_Listing]:
    names = {name.lower(): name for name in entries(root / _LISTS)}
    chosen = {name: SPLIT_NAMES[stem] for stem in SPLIT_NAMES if (name := names.get(f"{stem}.txt"))}
    if not {"train", "valid"} & set(chosen.values()) and "trainval.txt" in names:
        chosen[names["trainval.txt"]] = "train"
    found = []
    for name, split in chosen.items():
        file = join(_LISTS, name)
        lines = enumerate(read_text(root, file, _LARGEST_LIST).split("\n"), start=1)
        found.append((file, split, [(number, text.rstrip("\r")) for number, text in lines if text.strip()]))
    return found


def _read_file(root: Path, split: str, file: str, name: str, folders: list[str], images: _ImageIndex) -> Annotation:
    """Read one XML file.

    Args:
        root: folder of the data set.
        split: of the row.
        file: path relative to the root.
        name: path relative to the folder of annotations; folders in it are those of the images as well.
        folders: which may hold the image, the likeliest first.
        images: the image files of the data set.
    """
    try:
        content = parse_voc(read_bytes(root, file, _LARGEST_XML))
    except AnnotationFileError as exc:
        content = VocContent(problems=[(exc.line or 1, exc.problem)])
    above, stem = posixpath.split(name[:-4])
    image = images.find([join(folder, above) if above else folder for folder in folders], content.filename, stem)
    if content.problems:
        return _broken(split, image, file, content)
    return Annotation(split, image, file, 1, "<OD>", regions=tuple(content.regions), declared_wh=content.declared_wh)


def _broken(split: str, image: str, file: str, content: VocContent) -> Annotation:
    error = joined([text for _, text in content.problems])
    return Annotation(split, image, file, content.problems[0][0], "<OD>", "", error=error)


class _ImageIndex:
    """Image files by their names without regard to case and extension."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = frozenset(names)
        self._by_name = _grouped(names, str.casefold)
        self._by_stem = _grouped(names, lambda name: posixpath.splitext(name)[0].casefold())

    def find(self, folders: list[str], filename: str, stem: str) -> str:
        """Return the image of an XML file.

        Args:
            folders: which may hold it, the likeliest first.
            filename: its name in the XML file, perhaps without extension, in another case or wrong; or empty.
            stem: of the XML file, used if no image is called ``filename``.

        Returns:
            Path relative to the root; if there is no such image, the expected path.
        """
        wanted = [posixpath.normpath(join(folder, filename)) for folder in folders] if filename else []
        own = [posixpath.normpath(join(folder, stem)) for folder in folders]
        for path in wanted:
            if path in self._exact:
                return path
        if wanted and all(path.startswith("../") for path in wanted):
            return wanted[0]  # the file names an image outside; to take another one would be a guess
        for index, paths in (
            (self._by_name, wanted),
            (self._by_stem, wanted),
            (self._by_stem, [posixpath.splitext(path)[0] for path in wanted]),
            (self._by_stem, own),
        ):
            for path in paths:
                found = index.get(path.casefold(), ())
                if len(found) == 1:
                    return found[0]
        return join(folders[0], filename or f"{stem}.jpg")


def _grouped(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return dict(groups)


def image_path(image: ImageToWrite) -> str:
    """Return the path of an image in a set that ``write_voc`` writes."""
    return join(_IMAGES, join(image.split, image.name))


def write_voc(folder: Path, images: Sequence[ImageToWrite]) -> None:
    """Write the boxes of images: an XML file for each in the folder of its split, and a list for each split.

    Args:
        folder: of the new set, which holds the images at ``image_path`` already.
        images: with their samples.

    Raises:
        DatasetError: two images share an annotation file, or a name has a character that XML cannot hold.
        OSError: a file cannot be written.
    """
    unique_stems(images)
    for image in images:
        name = join(image.split, image.name)
        file = folder / "Annotations" / f"{posixpath.splitext(name)[0]}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as handle:
            handle.write(_xml(image))
    (folder / _LISTS).mkdir(parents=True)
    for split in {image.split for image in images} - {""}:
        stems = [posixpath.splitext(image.name)[0] for image in images if image.split == split]
        list_name = "val" if split == "valid" else split
        with (folder / _LISTS / f"{list_name}.txt").open("x", encoding="utf-8", newline="\n") as handle:
            handle.writelines(f"{split}/{stem}\n" for stem in stems)


def _xml(image: ImageToWrite) -> str:
    width, height = image.size_wh
    lines = [
        "<annotation>",
        f"  <filename>{_escaped(posixpath.basename(image.name))}</filename>",
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
    ]
    for name, corners in pixel_boxes(image):
        sides = "".join(f"<{side}>{value}</{side}>" for side, value in zip(SIDES, corners, strict=True))
        lines.append(
            f"  <object><name>{_escaped(name)}</name><difficult>0</difficult><bndbox>{sides}</bndbox></object>"
        )
    return "\n".join([*lines, "</annotation>", ""])


def _escaped(text: str) -> str:
    if bad := _NOT_XML.search(text):
        raise DatasetError(f"{text!r} holds {bad[0]!r}, which XML cannot hold; rename it, or write jsonl or coco")
    return escape(text)


VOC = Format(
    files="Annotations/*.xml or train/*.xml",
    samples="one `<OD>` sample for each image",
    recognise=is_voc,
    read=read_voc,
    writer=Writer(image_path, write_voc),
)
"""The format voc."""
