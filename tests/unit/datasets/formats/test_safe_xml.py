"""XML that means harm or is damaged; more of it in the tests of the VOC reader."""

from __future__ import annotations

import pytest

from florence2.datasets.formats.safe_xml import XmlError, element_name, parse_xml


def test_elements_have_names_without_namespaces_and_lines() -> None:
    root = parse_xml(b'<a xmlns="urn:x">\n<!-- c --><b/>\n</a>')
    assert [(element_name(each), each.sourceline) for each in root] == [("b", 2)]


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"<a>\n<b></a>", "not valid XML", 2),
        (b"", "not valid XML", 1),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', "defines or loads entities", 2),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">\n<a/>', "defines or loads entities", 2),
        (b"<a>" * 5000, "not valid XML", 1),
    ],
)
def test_what_is_refused(content: bytes, message: str, line: int) -> None:
    with pytest.raises(XmlError, match=message) as raised:
        parse_xml(content)
    assert raised.value.line == line
