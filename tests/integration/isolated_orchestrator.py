"""An orchestrator whose steps know nothing of the machine that submitted, as on a cluster, but without one.

Each step is a process with an environment, a home, a cache and a working folder of its own. It gets the project's code
by ``PYTHONPATH``, as a container gets it with its image, and everything else from the ZenML server.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from forked import run_process  # type: ignore[import-not-found]  # is in the folder of this file
from zenml.entrypoints.step_entrypoint_configuration import StepEntrypointConfiguration
from zenml.enums import ExecutionMode
from zenml.orchestrators import BaseOrchestrator, BaseOrchestratorConfig, BaseOrchestratorFlavor

__all__ = ["IsolatedOrchestrator", "IsolatedOrchestratorConfig", "IsolatedOrchestratorFlavor", "IsolatedStep"]

_RUN_ID = "ISOLATED_RUN_ID"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR")


class IsolatedOrchestratorConfig(BaseOrchestratorConfig):
    """Where steps run.

    Attributes:
        code: folder with the project's code, as an image would hold it.
        machines: folder in which each step finds an empty one of its own.
    """

    code: str
    machines: str

    @property
    def is_remote(self) -> bool:
        return True

    @property
    def is_local(self) -> bool:
        return False

    @property
    def is_synchronous(self) -> bool:
        return True


class IsolatedOrchestrator(BaseOrchestrator):
    """Runs each step in a process that shares nothing with the one that submitted."""

    @property
    def config(self) -> IsolatedOrchestratorConfig:
        assert isinstance(self._config, IsolatedOrchestratorConfig)
        return self._config

    def get_orchestrator_run_id(self) -> str:
        return os.environ[_RUN_ID]

    @property
    def supported_execution_modes(self) -> list[ExecutionMode]:
        return list(ExecutionMode)

    def submit_pipeline(
        self,
        snapshot: Any,
        stack: Any,
        base_environment: dict[str, str],
        step_environments: dict[str, dict[str, str]],
        placeholder_run: Any = None,
    ) -> None:
        run_id = str(uuid4())
        for name in snapshot.step_configurations:
            machine = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.config.machines))
            arguments = IsolatedStep.get_entrypoint_arguments(step_name=name, snapshot_id=snapshot.id)
            environment = {variable: os.environ[variable] for variable in _PASSED_ON if variable in os.environ}
            settings = snapshot.step_configurations[name].config.docker_settings
            environment |= {
                **{key: str(value).replace("/app", self.config.code) for key, value in _of_image(settings)},
                **step_environments[name],
                _RUN_ID: run_id,
                "HOME": str(machine),
                "XDG_CACHE_HOME": str(machine / "cache"),
                "ZENML_CONFIG_PATH": str(machine / "zenml"),
                "PYTHONPATH": self.config.code,
                "ZENML_ANALYTICS_OPT_IN": "false",
                "HF_HUB_OFFLINE": "1",
                "OMP_NUM_THREADS": "1",
            }
            (machine / "work").mkdir()
            command = [sys.executable, "-m", "zenml.entrypoints.entrypoint", *arguments]
            done = run_process(command, machine / "work", environment)
            (machine / "step.log").write_text(done.stdout + done.stderr)
            if done.returncode:
                raise RuntimeError(f"step {name} ended with status {done.returncode}:\n{done.stderr[-3000:]}")


def _of_image(settings: Any) -> Iterator[tuple[str, Any]]:
    """Yield the variables that a container would have from its image."""
    yield from settings.environment.items()
    yield from settings.runtime_environment.items()


class IsolatedStep(StepEntrypointConfiguration):
    """A step that stays in its own working folder rather than in /app."""

    def prepare_code_environment(self) -> None:
        pass


class IsolatedOrchestratorFlavor(BaseOrchestratorFlavor):
    """The flavour, as it is registered."""

    @property
    def name(self) -> str:
        return "isolated"

    @property
    def config_class(self) -> type[IsolatedOrchestratorConfig]:
        return IsolatedOrchestratorConfig

    @property
    def implementation_class(self) -> type[IsolatedOrchestrator]:
        return IsolatedOrchestrator
