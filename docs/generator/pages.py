"""Which pages and modules are made from the code, and by what. To add one, add its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.generator.commands import commands_page
from docs.generator.configuration import configuration_page
from docs.generator.flow import flow_image
from docs.generator.formats import formats_page
from docs.generator.house import architecture_page
from docs.generator.keywords import keywords_module
from docs.generator.python_api import python_page
from docs.generator.stubs import evaluation_stub, public_stub
from docs.generator.tasks import tasks_page
from florence2.reports.rules_page import rules_page

__all__ = ["DOCS", "PAGES"]

DOCS = Path(__file__).resolve().parents[1]
"""The folder of the documents."""

PAGES: dict[str, Callable[[], str]] = {
    "architecture.md": architecture_page,
    "rules.md": rules_page,
    "reference/commands.md": commands_page,
    "reference/configuration.md": configuration_page,
    "reference/formats.md": formats_page,
    "reference/python.md": python_page,
    "reference/tasks.md": tasks_page,
    "images/flow.svg": flow_image,
    "../florence2/config/keywords.py": keywords_module,
    "../florence2/__init__.pyi": public_stub,
    "../florence2/evaluation/__init__.pyi": evaluation_stub,
}
"""What makes each page, by its path below ``docs``."""
