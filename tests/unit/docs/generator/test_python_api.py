from __future__ import annotations

import florence2
from docs.generator.python_api import python_page
from florence2 import errors


def test_every_public_name_and_error_is_on_the_page() -> None:
    page = python_page()
    for name in {*florence2.__all__} - {"__version__"}:
        assert f":: florence2.{name}" in page or f":: florence2.errors.{name}" in page, name
    for name in errors.__all__:
        assert f".. autoexception:: florence2.errors.{name}\n" in page
