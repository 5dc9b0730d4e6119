"""Feed damaged data sets to every reader: a reader returns samples or raises the project's own error, and no other.

    python -m benchmarks.fuzz_readers --inputs 100000 --seed 0

Small valid sets of every format are damaged in one file: bytes flipped, cut, doubled or removed, replaced by numbers
and texts that have broken parsers before, or by parts of the same file. It prints how many were read
and how many refused.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import random
import re
import shutil
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from benchmarks.fuzz_sets import SETS, write_set
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.formats.registry import ENTRY_POINTS, FORMATS
from florence2.errors import DatasetError

__all__ = ["FuzzResult", "fuzz", "known_formats"]

_EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"

_NUMBERS = [
    *("0", "-1", "1", "-0", "3.5", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "nan", "inf", "1_0"),
    *("0x10", ".5", "5.", "1e9", "9007199254740993", "18446744073709551616", "true", "false", "null"),
    *("9" * 400, "9" * 5000, "1." + "1" * 500),
]
_TEXTS = [
    *(
        "",
        " ",
        "\n",
        "\r\n",
        "\0",
        "\t",
        ",",
        ":",
        "-",
        "#",
        "&",
        "*",
        "!",
        "<",
        ">",
        "]]>",
        "<!--",
        "{",
        "}",
        "[",
        "]",
    ),
    *('"', '""', "\\", "\\u0000", "\\ud800", "\\ud83d\\ude00", "\u2028", "\x85", "\ufeff", "é", "\U0001f600", "\ufffe"),
    *("../", "../../../etc/passwd", "/etc/passwd", "/dev/zero", "C:\\a\\b.png", "a" * 300, "a/" * 300, "~", "."),
    *("<OD>", "<VQA>", "<loc_5>", "<loc_-5>", "<loc_1000>", "<loc_" + "9" * 50 + ">", "</s>"),
    *("&a *a", "<<: *a", "!!python/object:os.system x", "!!binary x", "? a", "---\n", "%YAML 9\n", "'"),
    *(
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        "&b;",
        "&#0;",
        "&#10;",
        "<![CDATA[",
    ),
    *('<?xml version="1.0" encoding="utf-16"?>', '<?xml version="1.0" encoding="x"?>', "<object>", "</object>"),
]
_WORDS = re.compile(rb"[A-Za-z_]+|-?[0-9.]+")
_Damage = Callable[[random.Random, bytes], bytes]


@dataclass
class FuzzResult:
    """What became of the inputs.

    Attributes:
        read: how many were read, by format.
        refused: how many gave the project's own error, by format.
        failures: traceback and description of every other outcome.
    """

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def known_formats() -> dict[str, Format]:
    """Return the formats of the library and those of the examples in ``docs/examples``, which need no installation."""
    formats = dict(FORMATS)
    for file in sorted(_EXAMPLES.glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        sys.path.append(str(file.parent))
        for name, target in project["entry-points"].get(ENTRY_POINTS, {}).items():
            formats[name] = EntryPoint(name, target, ENTRY_POINTS).load()
    return formats


def fuzz(inputs: int, seed: int) -> FuzzResult:
    """Read damaged data sets, every format as often as the others.

    Args:
        inputs: how many.
        seed: of the damage.

    Returns:
        The counts; stops at the tenth failure.
    """
    rng = random.Random(seed)
    result, formats = FuzzResult(), known_formats()
    with tempfile.TemporaryDirectory() as folder:
        layouts = [layout for layout in SETS if _format_of(layout) in formats]
        for number, name in zip(range(inputs), itertools.cycle(layouts), strict=False):
            root = Path(folder).resolve() / name
            if not root.exists():
                write_set(root, name)
            file = rng.choice(list(SETS[name]))
            content = _damaged(rng, SETS[name][file].encode())
            (root / file).write_bytes(content)
            try:
                # Half of them must be recognised first, as a user's are.
                read_dataset(root, rng.choice(["auto", _format_of(name)]), formats=formats)
                result.read[name] += 1
            except DatasetError:
                result.refused[name] += 1
            except Exception:
                result.failures.append(f"input {number}, {name}, {file}: {content!r}\n{traceback.format_exc()}")
            (root / file).write_text(SETS[name][file])
            if len(result.failures) == 10:
                break
    return result


def _format_of(layout: str) -> str:
    return layout.partition(",")[0]


def _damaged(rng: random.Random, content: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        content = rng.choice(_DAMAGES)(rng, content)
    return content


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice([0, 1, 2, 5, 20, 100]))


def _flip(rng: random.Random, content: bytes) -> bytes:
    position = rng.randrange(len(content) + 1)
    return content[:position] + bytes([rng.randrange(256)]) + content[position + 1 :]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randint(0, len(content))]


def _remove(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + content[end:]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:end] + content[start:end] * rng.choice([1, 1, 2, 50]) + content[end:]


def _insert(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    text = rng.choice([*_TEXTS, *_NUMBERS]).encode()
    return content[:start] + text + content[rng.choice([start, end]) :]


def _replace_word(rng: random.Random, content: bytes) -> bytes:
    """Replace a whole word or number by another number or text, so that the structure stays."""
    words = list(_WORDS.finditer(content))
    if not words:
        return content
    word = rng.choice(words)
    text = rng.choice([rng.choice(_NUMBERS), rng.choice(_TEXTS), rng.choice(words)[0].decode()])
    return content[: word.start()] + text.encode() + content[word.end() :]


def _swap_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def _nest(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"- ", b""), (b"{", b"}")])
    depth = rng.choice([1, 1, 1, 3, 3, 30, 2000])
    return content[:start] + opening * depth + content[start:end] + closing * depth + content[end:]


def _recode(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(rng.choice(["utf-16", "utf-8-sig", "utf-32", "utf-7"]))


_DAMAGES: list[_Damage] = [
    _flip, _cut, _remove, _repeat, _insert, _replace_word, _replace_word, _replace_word, _swap_lines, _nest, _recode
]  # fmt: skip


def main() -> int:
    """Run from the command line; the status is 1 after any outcome but samples or the project's own error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cache = tempfile.mkdtemp()
    os.environ["XDG_CACHE_HOME"] = cache  # the user's own stays as it is
    logging.disable()  # a split that is not there any more is a warning
    start = time.monotonic()
    try:
        result = fuzz(options.inputs, options.seed)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    for name in SETS:
        print(f"{name:>20}: {result.read[name]:>7} read, {result.refused[name]:>7} refused")
    total = f"{result.read.total()} read, {result.refused.total()} refused, {len(result.failures)} failed"
    print(f"{total}; {options.inputs} inputs, seed {options.seed}, {time.monotonic() - start:.0f} s")
    if result.failures:
        print(result.failures[0])
    return 1 if result.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
