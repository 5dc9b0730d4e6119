"""Commands about registered models: list, show, compare, promote, rollback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from florence2.config import RegistrationConfig
from florence2.errors import ConfigurationError, RegistryError

if TYPE_CHECKING:
    from rich.table import Table

    from florence2.adapters import Registry

__all__ = ["registry"]

registry = typer.Typer(no_args_is_help=True, help="List and compare registered models, and choose the champion.")

_Name = Annotated[str, typer.Option("--name", help="Name of the registered model.")]
_Store = Annotated[
    str | None,
    typer.Option(help="MLflow store, such as http://host:5000; default: MLFLOW_TRACKING_URI, else the local stack's."),
]
_Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")]
_Version = Annotated[str, typer.Argument(help="Number of the version, or an alias such as champion.")]
_Reason = Annotated[str, typer.Option(help="Reason, which is kept in the history.")]

_DEFAULT_NAME = RegistrationConfig().model_name
_MOVES = "champion_move."


@registry.command("list")
def list_versions(name: _Name = _DEFAULT_NAME, tracking_uri: _Store = None, as_json: _Json = False) -> None:
    """List the versions of a model with their aliases and scores, and the moves of the champion."""
    from florence2.adapters import HOW_TO_REGISTER, Registry, default_tracking_uri, registered_models
    from florence2.storage import redact

    uri = tracking_uri or default_tracking_uri()
    if not registered_models(uri):
        empty = json.dumps({"name": name, "versions": [], "history": []}, indent=2)
        typer.echo(empty if as_json else f"No model is registered in {redact(uri)} yet; {HOW_TO_REGISTER}.")
        return
    store = Registry(uri, name)
    aliases = store.aliases()
    rows: list[dict[str, Any]] = []
    for version in store.versions():
        tags = store.tags_of(version)
        held = [alias for alias, holder in aliases.items() if holder == version]
        rows.append({"version": version, "aliases": held, "scores": _scores(tags), "decision": tags.get("decision")})
    moves = [move.model_dump() for move in store.history()]
    if as_json:
        typer.echo(json.dumps({"name": name, "versions": rows, "history": moves}, indent=2))
        return
    columns = list(dict.fromkeys(score for row in rows for score in row["scores"]))
    _print(
        _table(
            f"{name} in {redact(store.tracking_uri)}",
            ["version", "aliases", *columns, "decision"],
            [
                [
                    row["version"],
                    ", ".join(row["aliases"]),
                    *(row["scores"].get(column, "") for column in columns),
                    row["decision"] or "",
                ]
                for row in rows
            ],
        )
    )
    if moves:
        _print(
            _table(
                "champions",
                ["when", "who", "what", "why"],
                [[move["at"], move["by"], _describe(move), move["why"]] for move in moves],
            )
        )


@registry.command()
def show(version: _Version, name: _Name = _DEFAULT_NAME, tracking_uri: _Store = None, as_json: _Json = False) -> None:
    """Show the model card and every tag of a version."""
    store = _open(tracking_uri, name)
    found = store.version(_number(store, version))
    tags, card = store.tags_of(found.version), store.card_of(found.version)
    if as_json:
        typer.echo(json.dumps(found.model_dump() | {"tags": tags, "card": card}, indent=2))
        return
    from rich.markdown import Markdown

    _print(Markdown(card or "no model card"))
    _print(_table(f"{name} version {found.version}", ["tag", "value"], [[tag, tags[tag]] for tag in sorted(tags)]))


@registry.command()
def compare(
    first: _Version,
    second: _Version,
    name: _Name = _DEFAULT_NAME,
    tracking_uri: _Store = None,
    as_json: _Json = False,
) -> None:
    """Compare two versions: settings, data and scores that differ, the scores each on its own test split."""
    store = _open(tracking_uri, name)
    numbers = [_number(store, version) for version in (first, second)]
    tags = [{k: v for k, v in store.tags_of(number).items() if not k.startswith(_MOVES)} for number in numbers]
    both = {tag: [each.get(tag) for each in tags] for tag in sorted({*tags[0], *tags[1]})}
    unequal = {tag for tag, values in both.items() if values[0] != values[1]}
    # A score stands next to its baseline, which two versions have in common where their data are the same.
    differ = {tag: values for tag, values in both.items() if {tag, tag.removeprefix("baseline_")} & unequal}
    same_test = tags[0].get("test_fingerprint") == tags[1].get("test_fingerprint")
    settings, unknown = _changed_settings(store, *numbers)
    if as_json:
        content = {"versions": numbers, "settings": settings, "differences": differ, "same_test_split": same_test}
        typer.echo(json.dumps(content, indent=2))
        return
    columns = [f"version {number}" for number in numbers]
    if unknown:
        typer.echo(f"Which settings differ is not known: {unknown}.")
    elif settings:
        rows = [[setting, *values] for setting, values in settings.items()]
        _print(_table("settings that differ", ["setting", *columns], rows))
    else:
        typer.echo("All settings are the same.")
    rows = [[tag, *(value or "" for value in values)] for tag, values in differ.items() if _is_compared(tag)]
    _print(_table("what else differs", ["tag", *columns], rows))
    if not same_test:
        typer.echo(
            "Their test splits differ, so their scores cannot be compared; florence_promote evaluates both again."
        )


@registry.command()
def promote(
    version: _Version,
    reason: _Reason,
    name: _Name = _DEFAULT_NAME,
    tracking_uri: _Store = None,
    as_json: _Json = False,
) -> None:
    """Make a version the champion by hand, without regard to the gates."""
    store = _open(tracking_uri, name)
    champion = store.version_of("champion")
    store.move_champion(
        _number(store, version),
        expected_champion=None if champion is None else champion.version,
        reason=_checked(reason),
        decision={"decision": "by hand", "decision_why": reason},
    )
    _print_last_move(store, as_json)


@registry.command()
def rollback(reason: _Reason, name: _Name = _DEFAULT_NAME, tracking_uri: _Store = None, as_json: _Json = False) -> None:
    """Make the previous champion the champion again; each further rollback goes back by one more."""
    store = _open(tracking_uri, name)
    store.rollback(_checked(reason))
    _print_last_move(store, as_json)


def _open(tracking_uri: str | None, name: str) -> Registry:
    from florence2.adapters import Registry, default_tracking_uri

    return Registry(tracking_uri or default_tracking_uri(), name)


def _number(store: Registry, version: str) -> str:
    """Return the number of a version that is given by number or alias.

    Raises:
        RegistryError: there is no such version or alias.
    """
    aliases = store.aliases()
    if version.isdigit():
        return version
    if version not in aliases:
        known = ", ".join(f"{alias} (version {number})" for alias, number in aliases.items()) or "none"
        raise RegistryError(f"{store.name}: no alias {version!r}; there are {known}")
    return aliases[version]


def _is_compared(tag: str) -> bool:
    """Return whether the table of differences has a tag: not the hash of settings, nor the long texts of decisions."""
    return tag != "configuration" and not tag.startswith("decision_")


def _changed_settings(store: Registry, first: str, second: str) -> tuple[dict[str, tuple[str, str]] | None, str]:
    """Return the settings that differ, or None and why they are not known: an old version may hold none."""
    try:
        return store.changed_settings(first, second), ""
    except RegistryError as exc:
        return None, str(exc)


def _checked(reason: str) -> str:
    """Return a reason without surrounding blanks.

    Raises:
        ConfigurationError: it is empty.
    """
    if not reason.strip():
        raise ConfigurationError("--reason: is empty; give the reason, which is kept in the history")
    return reason.strip()


def _print_last_move(store: Registry, as_json: bool) -> None:
    move = store.history()[-1].model_dump()
    if as_json:
        typer.echo(json.dumps(move | {"aliases": store.aliases()}, indent=2))
        return
    typer.echo(f"{store.name}: {_describe(move)}")


def _describe(move: Mapping[str, Any]) -> str:
    after = f"version {move['after']} is champion" if move["after"] else "no version is champion"
    before = f", before it version {move['before']}" if move["before"] else ""
    return f"{move['action']}: {after}{before}"


def _scores(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the headline scores of a version with their intervals."""
    from florence2.evaluation import SCORES

    found = {}
    for score in SCORES.values():
        if score.headline and score.name in tags:
            low, high = tags.get(f"{score.name}_low"), tags.get(f"{score.name}_high")
            ends = f" ({float(low):.3f} to {float(high):.3f})" if low and high else ""
            found[score.name] = f"{float(tags[score.name]):.3f}{ends}"
    return found


def _table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    return table


def _print(what: object) -> None:
    from rich.console import Console

    Console().print(what)
