"""What is put off or left out where Great Expectations is imported, and that the rest of the process has it all."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECK = """
import sys
from florence2.adapters.quick_import import BACKENDS, DEFERRED, import_great_expectations, leave_out_backends
if {only}:
    leave_out_backends()
import_great_expectations()
print([name for name in ("scipy.stats._stats_py", "altair.vegalite", "sqlalchemy.engine") if name in sys.modules])
import sqlalchemy, scipy.stats
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as user
print(sqlalchemy.create_engine.__name__, user.stats.norm is scipy.stats.norm, user.alt.Chart.__name__)
print([name for name in (*BACKENDS, *DEFERRED) if sys.modules.get(name, name) is None])
"""


@pytest.mark.parametrize(("only", "imported"), [(True, "[]"), (False, "['sqlalchemy.engine']")])
def test_what_rules_do_not_need_is_not_imported_until_it_is_used(only: bool, imported: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECK.format(only=only)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [imported, "create_engine True Chart", "[]"]
