"""Every command and code block of README.md and docs/ is run, in the order of its page.

A block that cannot be run says why in a comment on the line before it, ``<!-- not run: it needs a cluster -->``, or
what runs it, ``<!-- run by: tests/integration/test_retrain.py -->``; then it is at least parsed. A block that shows a
file says which, ``<!-- file: my.yaml -->``, and is written there for the commands after it. ``elsewhere.py`` lists
commands that are too long for this.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from florence2.config import Configuration, PredictionConfiguration, PromotionConfiguration, TuningConfiguration
from tests.builders import write_image, write_lines
from tests.documents.blocks import PAGES, ROOT, Block, blocks_of, commands_of, consoles_of, name_of
from tests.documents.elsewhere import ELSEWHERE, problem_of, runner_of, unknown_options
from tests.documents.terminal import Terminal
from tests.documents.workplace import STAND_INS, Workplace, trains_in_seconds

RUN = {"sh", "console", "python", "json", "yaml", "toml"}
SHOWN = {"", "text", "xml"}
"""Languages of what is only shown: layouts of folders, messages."""

UNRUN = [block for page in PAGES for block in blocks_of(page) if block.reason or block.run_by]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, terminal: Terminal, workplace: Workplace, folders: Path) -> None:
    text = page.read_text(encoding="utf-8")
    needs_models = "florence2 registry" in text or "models:/" in text
    folder = workplace.copy_for(folders, name_of(page).replace("/", "-"), registry=needs_models)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(page):
        assert block.language in RUN | SHOWN, f"{block.location}: nothing can run {block.language!r}"
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        if block.reason or block.run_by or block.language in SHOWN:
            continue
        code = block.text
        for shown, stand_in in STAND_INS.items():
            code = code.replace(shown, stand_in)
        typed = dataclasses.replace(block, text=code)
        if block.language == "sh":
            run_shell(typed, terminal, folder)
        elif block.language == "console":
            run_console(typed, terminal, folder)
        elif block.language == "python":
            run_python(typed, names, folder)
        elif block.language == "yaml":
            check_settings(typed)
        elif block.language == "toml":
            assert tomllib.loads(block.text), block.location
        else:
            check_lines(typed, terminal, folder)


def run_shell(block: Block, terminal: Terminal, folder: Path) -> None:
    for command in commands_of(block):
        if runner_of(command):
            problem = problem_of(command, ROOT, folder)
            assert problem is None, f"{block.location}: {command}: {problem}"
            continue
        status, output = terminal.run(trains_in_seconds(command), folder)
        assert status == 0, f"{block.location}: {command}\nended with status {status}:\n{output}"


def run_console(block: Block, terminal: Terminal, folder: Path) -> None:
    """Run what is typed and compare what it prints; a message of an error must end the command with another status."""
    for console in consoles_of(block):
        status, output = terminal.run(console.command, folder)
        parts = [re.escape(" ".join(part.split())) for part in console.printed.split("...")]
        assert re.search(".*?".join(parts), " ".join(output.split())), f"{block.location}: it printed\n{output}"
        fails = any(sign in console.printed for sign in ("error:", "No such option", "Invalid value"))
        assert (status != 0) == fails, f"{block.location}: status {status}"


def run_python(block: Block, names: dict[str, Any], folder: Path) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)


def check_settings(block: Block) -> None:
    """Check that the settings of a YAML file are known and valid: ours, or those of a run, which are ZenML's."""
    content = yaml.safe_load(block.text)
    if content.keys() & {"settings", "steps"} or isinstance(content.get("schedule"), dict):
        from zenml.config.pipeline_run_configuration import PipelineRunConfiguration

        PipelineRunConfiguration.model_validate(content)
        return
    parameters = content.get("parameters", content)
    tree: Any = Configuration
    if "images" in parameters:
        tree = PredictionConfiguration
    elif "promotion" in parameters:
        tree = PromotionConfiguration
    elif "search" in parameters:
        tree = TuningConfiguration
    tree(**parameters)


def check_lines(block: Block, terminal: Terminal, folder: Path) -> None:
    """Check that every line is JSON, and those of a data set by the rules; commands check what is a file."""
    if block.file:
        return
    try:
        lines = [json.loads(block.text)]
    except ValueError:
        lines = [json.loads(line) for line in block.text.splitlines()]
    if not all({"image", "prefix", "suffix"} <= line.keys() for line in lines):
        return
    data = folder / f"lines-{block.line}"
    write_lines(data / "annotations.jsonl", lines)
    for number, line in enumerate(lines):
        write_image(data / line["image"], (640, 480 + number))
    terminal.check(f"florence2 validate {data}", folder)


@pytest.mark.parametrize("block", UNRUN, ids=lambda block: block.location)
def test_a_block_that_is_not_run_is_parsed(block: Block) -> None:
    if block.language == "python":
        compile(block.text, str(block.page), "exec")
    elif block.language == "yaml":
        list(yaml.safe_load_all(block.text))
    elif block.language == "json":
        for line in block.text.splitlines():
            json.loads(line)
    elif block.language in ("sh", "console"):
        typed = commands_of(block) if block.language == "sh" else [c.command for c in consoles_of(block)]
        for command in typed:
            if command.startswith("florence2 ") or runner_of(command):
                assert problem_of(command, ROOT, ROOT) is None, block.location
    else:
        assert block.language in SHOWN, block.location


@pytest.mark.parametrize(
    "location", sorted({block.run_by for block in UNRUN if block.run_by} | set(ELSEWHERE.values()))
)
def test_what_runs_a_block_elsewhere_is_there(location: str) -> None:
    file, _, test = location.partition("::")
    assert (ROOT / file).exists()
    assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_blocks_that_are_not_run_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [block for page in PAGES for block in blocks_of(page) if block.language in RUN]
    left = [block for block in blocks if block.reason or block.run_by]
    elsewhere = [
        f"{block.location}: {command}: by {runner_of(command)}"
        for block in blocks
        if block.language == "sh" and block not in left
        for command in commands_of(block)
        if runner_of(command)
    ]
    with capsys.disabled():
        os.write(2, f"\n{len(blocks) - len(left)} of {len(blocks)} blocks are run\n".encode())
        for block in left:
            os.write(2, f"  {block.location}: {block.reason or 'by ' + str(block.run_by)}\n".encode())
        for line in elsewhere:
            os.write(2, f"  {line}\n".encode())
    assert len(left) < len(blocks) / 4, "most blocks can be run"


@pytest.mark.parametrize(
    ("command", "unknown"),
    [
        ("florence2 train --dataset=d --epochs=3", []),
        ("florence2 train --datasets=d --epochs=3", ["--datasets"]),
        ("florence2 registry list --name x --jsn", ["--jsn"]),
    ],
)
def test_a_misspelt_option_is_seen(command: str, unknown: list[str]) -> None:
    assert unknown_options(command) == unknown
