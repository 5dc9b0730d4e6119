"""Write every generated page: ``python -m docs.generator``."""

from __future__ import annotations

from docs.generator.pages import DOCS, PAGES

__all__: list[str] = []

for _name, _text in PAGES.items():
    _file = DOCS / _name
    _file.parent.mkdir(exist_ok=True)
    _file.write_text(_text(), encoding="utf-8")
