"""The content of a Pascal VOC file: lines, encodings, and XML that attacks its reader."""

from __future__ import annotations

import pytest

from florence2.datasets.formats.values import excerpt
from florence2.datasets.formats.voc_xml import VocContent, parse_voc

OBJECT = "<object><name>{}</name><bndbox><xmin>0</xmin><ymin>0.5</ymin><xmax>4</xmax><ymax>2</ymax></bndbox></object>"


def test_a_box_knows_its_line_beyond_65535() -> None:
    content = parse_voc(("<annotation>\n" + (OBJECT.format("cat") + "\n") * 70_000 + "</annotation>").encode())
    assert [region.line for region in content.regions[-2:]] == [70_000, 70_001]
    assert (content.regions[0].text, content.regions[0].points) == ("cat", (0.0, 0.5, 4.0, 2.0))
    assert content.problems == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_texts_in_other_encodings_are_read(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n'
    content = parse_voc(f"{head}<annotation>{OBJECT.format('猫')}</annotation>".encode(encoding))
    assert [(region.text, region.line) for region in content.regions] == [("猫", 2)]


def test_a_text_in_parts_is_one_text_and_a_namespace_makes_no_difference() -> None:
    name = "<![CDATA[black ]]>ca<!-- not a dog -->t"
    content = parse_voc(f'<annotation xmlns="http://x"><size/>{OBJECT.format(name)}</annotation>'.encode())
    assert [region.text for region in content.regions] == ["black cat"]
    assert content.declared_wh is None


LEVELS = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY e0 "cat">]>',
        f'<!DOCTYPE a [<!ENTITY e0 "cat">{LEVELS}]>',
        '<!DOCTYPE a [<!ENTITY e0 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % e0 SYSTEM "file:///etc/passwd"> %e0;]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a PUBLIC "-//x" "http://127.0.0.1:9/x.dtd">',
    ],
)
@pytest.mark.parametrize("use", ["cat", "&e0;", "&e11;"])
@pytest.mark.parametrize("where", ["text", "attribute"])
def test_entities_are_refused_and_never_expanded(head: str, use: str, where: str) -> None:
    body = f'<filename x="{use}">a</filename>' if where == "attribute" else f"<filename>{use}</filename>"
    content = parse_voc(f"{head}<annotation>{body}{OBJECT.format('cat')}</annotation>".encode())
    ((line, problem),) = content.problems
    assert (line, content.filename, content.regions) == (1, "", [])
    assert "defines or loads entities, which is not allowed" in problem or problem.startswith("not valid XML: ")
    assert len(problem) < 200, excerpt(problem)


def test_an_entity_that_is_used_and_not_defined_is_not_valid() -> None:
    assert parse_voc(b"<annotation><filename>&b;</filename></annotation>") == VocContent(
        problems=[(1, "not valid XML: Entity 'b' not defined, line 1, column 26")]
    )
