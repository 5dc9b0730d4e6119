"""What one Pascal VOC file says, with the line of each box. XML that defines entities is not expanded but refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from florence2.datasets.formats.annotations import Region
from florence2.datasets.formats.values import BadValueError, checked_name, number, pixel_size

__all__ = ["SIDES", "VocContent", "parse_voc"]

SIDES = ("xmin", "ymin", "xmax", "ymax")
"""Names of the elements of a box."""

_BOX = "/annotation/object/bndbox"
_TEXTS = {
    "/annotation/filename",
    "/annotation/size/width",
    "/annotation/size/height",
    "/annotation/object/name",
    *(f"{_BOX}/{side}" for side in SIDES),
}
_DEPTH = 4


@dataclass
class VocContent:
    """What a file says.

    Attributes:
        filename: of the image, as it is written; empty if there is none.
        declared_wh: size of the image in pixels, None if the file does not say.
        regions: boxes in pixels, in the order of the file.
        problems: line and sentence for all that cannot be read.
    """

    filename: str = ""
    declared_wh: tuple[int, int] | None = None
    regions: list[Region] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def parse_voc(xml: bytes) -> VocContent:
    """Read the content of a Pascal VOC file; never raises for what it may hold."""
    handler = _Handler()
    try:
        parseString(xml, handler, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as exc:
        handler.report(f"the file defines or loads entities, which is not allowed ({type(exc).__name__})")
    except SAXException as exc:
        handler.report(f"not valid XML: {exc.getMessage()}")
    except (ValueError, LookupError) as exc:  # an encoding that Python does not know, or cannot decode
        handler.report(f"not valid XML: {exc}")
    return handler.content


class _Handler(ContentHandler):
    """Collects the texts of known elements; what VOC does not know is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.content = VocContent()
        self._position: Locator | None = None
        self._depth = 0
        self._path = ""
        self._text: list[str] | None = None
        self._texts: dict[str, str] = {}
        self._boxes: list[tuple[int, dict[str, str]]] = []
        self._object_line = 1

    def report(self, problem: str, line: int | None = None) -> None:
        """Note what cannot be read, here or on a line."""
        self.content.problems.append((self._line() if line is None else line, problem))

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the name SAX calls
        self._position = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802, ARG002 - the name SAX calls
        self._depth += 1
        if self._depth > _DEPTH:
            return
        if self._depth == 1 and name != "annotation":
            self.report(f"not Pascal VOC: the file holds <{name[:40]}>, not <annotation>")
        self._path += f"/{name}"
        if self._path == "/annotation/object":
            self._object_line, self._boxes = self._line(), []
            self._texts.pop("/annotation/object/name", None)
        elif self._path == _BOX:
            self._boxes.append((self._line(), {}))
        elif self._path in _TEXTS:
            self._text = []

    def characters(self, content: str) -> None:
        if self._text is not None and self._depth <= _DEPTH:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - the name SAX calls
        self._depth -= 1
        if self._depth >= _DEPTH:
            return
        path, self._path = self._path, self._path.rpartition("/")[0]
        if self._text is not None and path in _TEXTS:
            text, self._text = "".join(self._text), None
            if self._path == _BOX:
                self._boxes[-1][1][name] = text
            else:
                self._texts.setdefault(path, text)
            if path == "/annotation/filename":
                self._end_filename(text.strip())
        elif path == "/annotation/object":
            self._end_object()
        elif path == "/annotation/size":
            width, height = self._texts.get(f"{path}/width"), self._texts.get(f"{path}/height")
            self.content.declared_wh = pixel_size(width, height)

    def _end_filename(self, name: str) -> None:
        if name:
            try:
                self.content.filename = checked_name(name, "<filename>")
            except BadValueError as exc:
                self.report(str(exc))

    def _end_object(self) -> None:
        name = self._texts.get("/annotation/object/name")
        if name is None:
            self.report("an <object> has no <name>", self._object_line)
        elif not self._boxes:
            self.report(f"the <object> {name[:40]!r} has no <bndbox>", self._object_line)
        for line, sides in self._boxes:
            try:
                points = tuple(_coordinate(sides, side) for side in SIDES)
                self.content.regions.append(Region(name or "", points, line))
            except BadValueError as exc:
                self.report(str(exc), line)

    def _line(self) -> int:
        return (self._position.getLineNumber() if self._position else None) or 1


def _coordinate(sides: dict[str, str], side: str) -> float:
    if side not in sides:
        raise BadValueError(f"<bndbox> has no <{side}>")
    return number(sides[side], f"<{side}>")
