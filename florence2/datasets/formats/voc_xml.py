"""The content of one Pascal VOC file, with the line of each box. XML that defines or loads entities is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from florence2.datasets.formats.annotations import Region
from florence2.datasets.formats.safe_xml import XmlError, element_name, parse_xml
from florence2.datasets.formats.values import BadValueError, checked_name, number, pixel_size

__all__ = ["SIDES", "VocContent", "parse_voc"]

SIDES = ("xmin", "ymin", "xmax", "ymax")
"""Names of the elements of a box."""


@dataclass
class VocContent:
    """The content of a file.

    Attributes:
        filename: of the image, unchanged; empty if there is none.
        declared_wh: size of the image in pixels, None if the file does not declare it.
        regions: boxes in pixels, in the order of the file.
        problems: line and description of everything that cannot be read.
    """

    filename: str = ""
    declared_wh: tuple[int, int] | None = None
    regions: list[Region] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def parse_voc(xml: bytes) -> VocContent:
    """Read the content of a Pascal VOC file; never raises, whatever the file holds."""
    content = VocContent()
    try:
        root = parse_xml(xml)
    except XmlError as exc:
        content.problems.append((exc.line, str(exc)))
        return content
    if element_name(root) != "annotation":
        content.problems.append(
            (root.sourceline, f"not Pascal VOC: the file holds <{element_name(root)[:40]}>, not <annotation>")
        )
    else:
        _add_annotation(content, root)
    return content


def _add_annotation(content: VocContent, root: etree._Element) -> None:
    for element in root:
        name = element_name(element)
        if name == "filename" and not content.filename:
            try:
                if text := (element.text or "").strip():
                    content.filename = checked_name(text, "<filename>")
            except BadValueError as exc:
                content.problems.append((element.sourceline, str(exc)))
        elif name == "size":
            sides = {element_name(side): side.text for side in element}
            content.declared_wh = pixel_size(sides.get("width"), sides.get("height"))
        elif name == "object":
            _add_object(content, element)


def _add_object(content: VocContent, element: etree._Element) -> None:
    class_name, boxes = None, []
    for part in element:
        if element_name(part) == "bndbox":
            boxes.append(part)
        elif element_name(part) == "name" and class_name is None:
            class_name = part.text or ""
    if class_name is None:
        content.problems.append((element.sourceline, "an <object> has no <name>"))
    elif not boxes:
        content.problems.append((element.sourceline, f"the <object> {class_name[:40]!r} has no <bndbox>"))
    for box in boxes:
        try:
            content.regions.append(Region(class_name or "", _points(box), box.sourceline))
        except BadValueError as exc:
            content.problems.append((box.sourceline, str(exc)))


def _points(box: etree._Element) -> tuple[float, ...]:
    """Return x_min, y_min, x_max, y_max in pixels."""
    sides = {element_name(side): side.text or "" for side in box}
    for side in SIDES:
        if side not in sides:
            raise BadValueError(f"<bndbox> has no <{side}>")
    return tuple(number(sides[side], f"<{side}>") for side in SIDES)
