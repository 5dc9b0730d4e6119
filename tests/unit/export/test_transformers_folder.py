"""An exported folder: plain transformers loads it in a process that does not know this library, and answers alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from transformers import AutoProcessor, Florence2ForConditionalGeneration

from florence2.codec import task_table
from florence2.config import EvaluationConfig, ModelConfig, TaskConfig
from florence2.export import Exportable, export_transformers
from florence2.inference.generation import Predictor, predict
from florence2.model.base import load_base
from florence2.model.named import load_named, named_tasks
from florence2.model.own_tasks import add_tasks
from florence2.model.processing import Sample
from florence2.reports import HubFacts
from tests.builders import write_stars


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = write_stars(tmp_path_factory.mktemp("set"), each=2) / "test"
    images = sorted(folder.glob("*.png"))
    return [Sample(file, "<OD>", "", (64, 64)) for file in images]


def test_plain_transformers_writes_the_same_tokens(trained_run: Path, exported: Path, samples: list[Sample]) -> None:
    config = EvaluationConfig(max_new_tokens=60, grammar="off", eval_batch_size=3)
    ours = [generated.tokens for generated in Predictor(load_named(str(trained_run)), config).generate(samples)]
    base = [
        generated.tokens
        for generated in Predictor(load_base(ModelConfig(base="builtin:nano")), config).generate(samples)
    ]
    assert ours != base
    model: Any = Florence2ForConditionalGeneration.from_pretrained(exported)
    processor = AutoProcessor.from_pretrained(exported)
    for sample, tokens in zip(samples, ours, strict=True):
        inputs = processor(text="<OD>", images=Image.open(sample.image).convert("RGB"), return_tensors="pt")
        assert model.generate(**inputs, max_new_tokens=60)[0, 1:].tolist() == tokens


def test_the_snippet_of_the_card_prints_the_answer_and_its_boxes_and_nothing_else(
    trained_run: Path, exported: Path, samples: list[Sample], tmp_path: Path
) -> None:
    Image.open(samples[0].image).convert("RGB").save(tmp_path / "image.jpg", quality=100)
    (tmp_path / "stars").symlink_to(exported)
    code = (exported / "README.md").read_text().split("```python\n")[1].split("```")[0]
    blocked = "import sys; sys.modules['florence2'] = None\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", blocked + code],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    image = Sample(tmp_path / "image.jpg", "<OD>", "", (64, 64))
    (answer,) = predict(load_named(str(trained_run)), [image], EvaluationConfig(grammar="off", duplicate_iou=1.0))
    text, *boxes = [line for line in done.stdout.splitlines() if line]
    assert text == answer.text
    assert answer.detections is not None
    assert boxes == [
        f"{name}: {' '.join(f'{value:.1f}' for value in corners)}" for name, _, corners in answer.detections.rows()
    ]


def test_the_card_shows_what_plain_transformers_gets_for_an_own_task(tmp_path: Path) -> None:
    florence2 = load_base(ModelConfig(base="builtin:nano"))
    sentence = 'Read "{input}" on the receipt'
    add_tasks(florence2, task_table({"<FIELD>": TaskConfig(answer="json", sentence=sentence)}))
    source = Exportable(florence2, "# fields\n", HubFacts(None, "mit", ["<FIELD>"]))
    card = (export_transformers(source, tmp_path / "fields") / "README.md").read_text(encoding="utf-8")
    assert 'text="Read \\"What is in the image?\\" on the receipt"' in card
    assert "document-understanding" in card
    assert named_tasks(str(tmp_path / "fields")) == florence2.tasks
