"""Options of commands are made from the configuration: each default and text is defined only there.

Settings are taken from four sources, the later over the earlier: defaults, ``--config FILE``, ``--set KEY=VALUE``, and
options (or arguments) that name a setting themselves. It is done here for all commands alike.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
import yaml
from pydantic.fields import FieldInfo

from florence2.cli.command import usage_error
from florence2.config import (
    NOT_BY_RECIPE,
    SYNONYMS,
    BaseConfiguration,
    Configuration,
    TaskConfig,
    leaf_paths,
    load_yaml,
    read_sections,
    synonyms_of,
    translate_synonyms,
)
from florence2.datasets import FORMATS
from florence2.errors import ConfigurationError

__all__ = ["LISTS", "with_settings"]

_PRECEDENCE = "Settings come from their defaults, then --config, then --set, then options; the later one wins."

_SHOWN = 200
"""Characters of a wrong value that a message repeats."""
_FLAGS = {"source": "--dataset", "base": "--model"}
LISTS: Mapping[str, Collection[str]] = {"format": FORMATS}
"""Settings whose values are the names in a list; looking at names imports nothing of what is in the list."""
_CONFIG = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="YAML file of settings, as the pipeline takes it, or bare sections."),
]
_SET = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="One setting by its name or its path, training.epochs=3; may be repeated.",
    ),
]


_DATASET_PARAMETER = inspect.Parameter(
    "dataset",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    default=None,
    annotation=Annotated[
        str | None,
        typer.Argument(
            help="Folder, archive, URI or annotation file of the data set, or builtin:cards; the same as --dataset.",
            show_default=False,
        ),
    ],
)


def with_settings(
    *paths: str,
    without: Collection[str] = (),
    tree: type[BaseConfiguration] = Configuration,
    also: tuple[type[BaseConfiguration], ...] = (),
    dataset_argument: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options for settings; the settings that a user gave arrive as keywords, by name.

    Args:
        paths: sections such as ``dataset``, or single settings such as ``training.max_target_tokens``, that get an
            option; none means all. A file and ``--set`` may hold any setting.
        without: names of settings that get no option, since the command has a parameter for them.
        tree: the configuration whose settings become options, and whose sections a file may hold.
        also: other configurations whose sections a file may hold.
        dataset_argument: whether the data set may also be given as an argument, without ``--dataset``.
    """
    trees = (tree, *also)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
        named = {
            name: _option(tree, name, path)
            for name, path in leaf_paths(tree)
            if name not in without and (not paths or any(_is_below(path, wanted) for wanted in paths))
        }
        files = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in (("config_file", _CONFIG), ("set_values", _SET))
        ]

        def run(config_file: Path | None = None, set_values: list[str] | None = None, **values: Any) -> None:
            given = {name: value for name, value in values.items() if value not in (None, [])}
            if dataset_argument:
                _take_dataset(given)
            options = {name: given.pop(name) for name in named if name in given}
            command(**_merged(config_file, set_values or [], options, trees) | given)

        run.__name__, run.__doc__ = command.__name__, f"{inspect.getdoc(command)}\n\n{_PRECEDENCE}"
        parameters = [*([_DATASET_PARAMETER] if dataset_argument else []), *own, *files, *named.values()]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _take_dataset(given: dict[str, Any]) -> None:
    """Make the argument of the data set the setting that ``--dataset`` gives."""
    argument = given.pop("dataset", None)
    if argument is None:
        return
    if given.get("source", argument) != argument:
        raise usage_error(f"the data set is given twice, as {argument} and by --dataset {given['source']}; give one")
    given["source"] = argument


def _merged(
    file: Path | None,
    assignments: Collection[str],
    options: Mapping[str, Any],
    trees: tuple[type[BaseConfiguration], ...],
) -> dict[str, Any]:
    """Return the settings of a file, of ``--set`` and of options by name, the later over the earlier.

    Raises:
        ConfigurationError: one is unknown or invalid; with the exit status of a usage error.
    """
    try:
        settings = _flattened(read_sections(file, *trees), trees) if file is not None else {}
        for assignment in assignments:
            _override(settings, _parse_assignment(assignment, trees))
        _override(settings, options)
        own = dict(leaf_paths(trees[0]))
        trees[0](**{name: value for name, value in settings.items() if name in own})
    except ConfigurationError as exc:
        exc.exit_status = 2  # the mistake is on the command line, or in the file that it names
        raise
    return settings


def _override(settings: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Override settings by others; in a mapping, such as the outcomes of rules, entry by entry."""
    for name, value in translate_synonyms(above).items():
        pairs = name in ("rules", "task") and isinstance(value, list)
        entries = dict(pair.rsplit("=", 1) for pair in value if "=" in pair) if pairs else value
        below = settings.get(name)
        settings[name] = {**below, **entries} if isinstance(below, dict) and isinstance(entries, dict) else value


def _flattened(sections: Mapping[str, Any], trees: tuple[type[BaseConfiguration], ...]) -> dict[str, Any]:
    """Return the settings in sections by name."""
    found = {}
    for name, path in _paths(trees).items():
        value: Any = sections
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                break
            value = value[key]
        else:
            found[name] = value
    return found


def _paths(trees: tuple[type[BaseConfiguration], ...]) -> dict[str, tuple[str, ...]]:
    return {name: path for tree in trees for name, path in leaf_paths(tree)}


def _parse_assignment(assignment: str, trees: tuple[type[BaseConfiguration], ...]) -> dict[str, Any]:
    """Return the setting of ``KEY=VALUE`` by its name; the value is read as YAML.

    Raises:
        ConfigurationError: there is no such setting, or the value is not YAML.
    """
    key, equals, text = assignment.partition("=")
    if not equals:
        raise usage_error(f"--set {assignment}: give it as KEY=VALUE, for example training.epochs=3")
    try:
        value = load_yaml(text)
    except (ValueError, yaml.YAMLError) as exc:
        raise usage_error(f"--set {key}={text[:_SHOWN]}: the value is not valid YAML; put it in quotes") from exc
    key, paths = key.strip(), _paths(trees)
    translate_synonyms({key: value})  # raises, with the remedy, for another tool's name without an equivalent
    full = {".".join(path): name for name, path in paths.items()}
    if not key:
        raise usage_error(
            f"--set {assignment}: the key is missing; give it as KEY=VALUE, for example training.epochs=3"
        )
    if (name := full.get(key, SYNONYMS.get(key, key))) in paths:
        return {name: value}
    above, _, entry = key.rpartition(".")
    if full.get(above, above) == "rules":
        return {"rules": {entry: value}}
    if inside := [path for path in full if path.startswith(f"{key}.")]:
        raise usage_error(f"--set {key}: is a section; set one of its settings: {', '.join(inside)}")
    near = difflib.get_close_matches(key, [*full, *paths, *SYNONYMS], n=1)
    raise usage_error(f"--set {key}: unknown key; " + (f"did you mean {near[0]!r}?" if near else "see --help for all"))


def _is_below(path: tuple[str, ...], wanted: str) -> bool:
    """Return whether a setting is the wanted one, or one of the wanted section."""
    parts = tuple(wanted.split("."))
    return path[: len(parts)] == parts


def _option(tree: type[BaseConfiguration], name: str, path: tuple[str, ...]) -> inspect.Parameter:
    """Return the option of a setting, in the panel of its section."""
    section: Any = tree
    for key in path[:-1]:
        section = section.model_fields[key].annotation
    field: FieldInfo = section.model_fields[path[-1]]
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    others = [f"--{theirs.replace('_', '-')}" for theirs in synonyms_of(name)]
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if name in LISTS:
        choices = (field.default, *LISTS[name])
    kind: Any = str
    if get_origin(field.annotation) in (tuple, dict):
        kind = list[str]
    elif field.annotation in (int, float, bool):
        kind = field.annotation
    no = f"--no-{flag.removeprefix('--')}" if field.annotation is bool else None
    option = typer.Option(
        f"{flag}/{no}" if no else flag,
        *others,
        help=_help(path, field, choices, others, no),
        metavar=None if kind is bool else "NAME" if choices else _metavar(field),
        show_default=False,
        rich_help_panel=".".join(path[:-1]),
        # Not an enumeration of typer: the configuration checks values, and knows those of other tools.
        autocompletion=(lambda: list(choices)) if choices else None,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _metavar(field: FieldInfo) -> str:
    """Return the word for the value of an option."""
    alternatives = (field.annotation, *get_args(field.annotation))
    plain = [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in alternatives]
    if kinds := [kind for kind in plain if kind in (int, float)]:
        return str(kinds[0].__name__).upper()
    origin = get_origin(field.annotation)
    if origin is dict:
        return "TOKEN=KIND" if get_args(field.annotation)[1] is TaskConfig else "CODE=OUTCOME"
    return "NAME" if origin in (Literal, tuple) else "TEXT"


def _help(path: tuple[str, ...], field: FieldInfo, choices: tuple[str, ...], others: list[str], no: str | None) -> str:
    """Return the description of a setting with its facts in parentheses: typer takes brackets for its markup."""
    default = field.get_default(call_default_factory=True)
    facts = [f"one of {', '.join(choices)}"] if choices else []
    if path[0] == "training" and path[1] not in NOT_BY_RECIPE - {"epochs"}:
        facts.append("default: by the recipe" + (f", else {default}" if default not in (None, False) else ""))
    elif default not in (None, (), {}) and default is not False:
        facts.append(f"default: {default}")
    if get_origin(field.annotation) in (tuple, dict):
        facts.append("may be repeated")
    if no:
        facts.append(f"turned off by {no}")
    if others:
        facts.append(f"also {', '.join(others)}")
    return f"{field.description} ({'; '.join(facts)})" if facts else str(field.description)
