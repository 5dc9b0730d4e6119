"""Set up the ZenML stack that pipelines run on, from a file.

The command ``florence2 stack``. ZenML is imported only when a command runs.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from florence2.errors import StackError

if TYPE_CHECKING:
    from pipelines.stacks.apply import Plan

__all__ = ["stack"]

stack = typer.Typer(no_args_is_help=True, help="Set up the ZenML stack that pipelines run on.")

_DONE = {"create": "created", "update": "updated", "keep": "unchanged"}
_PLANNED = {"create": "to create", "update": "to update", "keep": "unchanged"}


@stack.callback()
def _group() -> None:
    """Make ``apply`` a subcommand, though it is the only one."""


@stack.command()
def apply(
    file: Annotated[Path, typer.Argument(help="YAML file of the stack, for example configs/stacks/local.yaml.")],
    activate: Annotated[
        bool | None,
        typer.Option(
            "--activate/--no-activate",
            help="Make it the active stack of this folder. (default: if nothing is missing)",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
) -> None:
    """Create a stack and its components, or update what differs from the file; a second time changes nothing.

    Ends with status 1 if something is missing that a run on the stack needs; the list names the remedies.
    """
    from pipelines.stacks.stack_file import read_stack

    wanted = read_stack(file)
    # ZenML takes seconds to import; errors of the file are raised before.
    from pipelines.stacks.apply import activate as make_active
    from pipelines.stacks.apply import apply_plan, plan_stack
    from pipelines.stacks.artifact_store import unreachable_artifact_store
    from pipelines.stacks.missing import listed
    from pipelines.stacks.store import open_store, store_errors

    logging.getLogger("zenml").setLevel(logging.ERROR)  # the list of what is missing has all that it warns of
    client = open_store()
    with store_errors():
        plan = plan_stack(client, wanted)
        applied = not dry_run and not plan.first
        if applied:
            apply_plan(client, plan)
    _print(plan, applied=applied)
    missing = [*plan.first, *plan.missing]
    if applied:
        missing += unreachable_artifact_store(client, plan.name)
    active = applied and (activate if activate is not None else not missing)
    if active:
        make_active(client, plan.name, Path.cwd())
        typer.echo(f"active in {Path.cwd()}")
    if missing:
        state = "is active, but a run on it would fail" if active else "cannot run yet and is not active"
        raise StackError(f"the stack {plan.name} {state}; missing:{listed(missing)}")


def _print(plan: Plan, *, applied: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("component", "name", "flavour", "change")
    words = _DONE if applied else _PLANNED
    for change in plan.changes:
        keys = f": {', '.join(change.keys)}" if change.keys else ""
        table.add_row(change.kind, change.name, change.flavor, words[change.action] + keys)
    Console().print(table)
    if plan.changes_nothing:
        typer.echo(f"stack {plan.name}: nothing to change")
    else:
        typer.echo(f"stack {plan.name}: {'applied' if applied else 'nothing done'}")
