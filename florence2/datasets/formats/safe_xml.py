"""XML of unknown origin: no entity is expanded, nothing is loaded, and unusual depth or size is refused."""

from __future__ import annotations

from lxml import etree

from florence2.datasets.formats.values import BadValueError

__all__ = ["XmlError", "element_name", "parse_xml"]

_OPTION = ", use XML_PARSE_HUGE option"  # a remedy for programmers, in the message about a file that is too deep


class XmlError(BadValueError):
    """A file cannot be used as XML; ``line`` is where, counted from 1."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def parse_xml(content: bytes) -> etree._Element:
    """Return the root element of an XML file; ``sourceline`` of an element is its line.

    Raises:
        XmlError: it is not XML, or defines or loads entities.
    """
    # It opens no file but the one given.
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,  # a text with a comment in it is one text
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as exc:
        raise XmlError(f"not valid XML: {exc.msg.replace(_OPTION, '')}", exc.lineno or 1) from None
    document = root.getroottree().docinfo
    # Entities were neither expanded nor loaded; without them the texts are not those that were meant.
    if document.system_url or (document.internalDTD is not None and document.internalDTD.entities()):
        raise XmlError("the file defines or loads entities, which is not allowed", root.sourceline or 1)
    return root


def element_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace; empty for a reference to an entity."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
