"""The images of steps: what is in their build context, which packages they get, and how they are made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from zenml.config import DockerSettings
from zenml.image_builders.build_context import BuildContext
from zenml.utils.pipeline_docker_image_builder import PipelineDockerImageBuilder

from pipelines.images import cpu_image, gpu_image, locked_packages

ROOT = Path(__file__).resolve().parents[2]
# fmt: off
SECRET_OR_DATA = ("mlflow.db", "outputs/run/summary.json", "runs/1/a.bin", ".env", "key.pem", "data/train/a.png",
                  "florence2/.env", "steps/.credentials", "secrets/token", ".zenml/config.yaml", "mlruns/0/meta.yaml",
                  "pipelines/__pycache__/finetune.cpython-311.pyc", ".git/config", "tests/a.py")
# fmt: on


def context_of(root: Path) -> dict[str, int]:
    """Return the files that ZenML sends to a builder of images, and their sizes in bytes."""
    files = BuildContext(str(root)).get_files()
    return {name: Path(path).stat().st_size for name, path in files.items() if Path(path).is_file()}


def test_the_context_holds_the_code_and_nothing_else() -> None:
    context = context_of(ROOT)
    above = {name.partition("/")[0] for name in context} - {".zen"}  # ZenML adds the id of the active stack
    assert above == {
        "florence2", "materializers", "pipelines", "steps", "florence_finetune.py", "florence_predict.py",
        "florence_promote.py", "florence_tune.py", "pyproject.toml", "requirements.lock", "README.md", "LICENSE",
    }  # fmt: skip
    assert {"florence2/builtin/nano/model.safetensors", "florence2/reports/evaluation/page.html"} <= context.keys()
    weights = ("florence2/builtin/nano/", "florence2/builtin/small/")
    bases = sum(size for name, size in context.items() if name.startswith(weights))
    assert sum(context.values()) - bases < 3_000_000
    assert bases < 2 * 8 * 2**20


def test_no_data_and_no_secret_gets_into_the_context(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    for name in ("florence2/errors.py", "README.md", *SECRET_OR_DATA):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("hunter2")
    assert context_of(tmp_path).keys() == {"florence2/errors.py", "README.md"}


@pytest.mark.parametrize("with_cuda", [False, True])
def test_packages_are_those_of_a_run_in_the_versions_of_the_lock(with_cuda: bool) -> None:
    lines = locked_packages(with_cuda=with_cuda)
    assert set(lines) <= set((ROOT / "requirements.lock").read_text().splitlines())
    assert all("==" in line for line in lines)
    names = {Requirement(line).name for line in lines}
    needed = {"torch", "transformers", "zenml", "mlflow", "great-expectations", "s3fs", "boto3", "gcsfs", "kfp", "peft"}
    assert needed <= names
    assert not names & {"pytest", "moto", "sphinx", "gradio", "ruff", "mypy", "jupytext", "onnx"}
    assert ({"nvidia-cudnn-cu13", "triton"} <= names) is with_cuda
    assert any(name.startswith(("nvidia", "cuda", "triton")) for name in names) is with_cuda


@pytest.mark.parametrize("image", [cpu_image(), gpu_image()])
def test_the_image_that_zenml_would_build(image: DockerSettings) -> None:
    lines = dockerfile_of(image)
    assert lines[-1].startswith("ENTRYPOINT")
    user, code = lines.index("USER 1000"), lines.index("COPY . .")
    assert lines[code + 1 : user] == [
        "RUN chmod -R a+rw .",
        "RUN uv pip install --system --no-cache-dir --no-deps --editable .",
        "RUN chown -R 1000 .",
    ]
    (install,) = (line for line in lines if "-r .zenml_user_requirements" in line)
    assert lines.index(install) < code, "an edit of the code installs nothing anew"
    assert ("--torch-backend=cpu" in install) is (image.requirements == locked_packages(with_cuda=False))
    for variable in ("ZENML_ANALYTICS_OPT_IN='false'", "MLFLOW_DISABLE_TELEMETRY='true'", "HOME='/app'"):
        assert f"ENV {variable}" in lines
    assert not any(word in line for line in lines for word in ("TOKEN", "SECRET", "PASSWORD", str(ROOT)))


def dockerfile_of(image: DockerSettings) -> list[str]:
    assert isinstance(image.requirements, list)
    return PipelineDockerImageBuilder._generate_zenml_pipeline_dockerfile(
        "zenml:parent",
        image,
        requirements_files=[(".zenml_user_requirements", "\n".join(image.requirements), [])],
        entrypoint="python",
    ).splitlines()
