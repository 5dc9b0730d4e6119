"""Resources as Kubernetes and Kubeflow Pipelines read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.orchestrators.quantities import cpu_quantity, memory_quantity

_BYTES: dict[str, int] = {
    "": 1,
    **{f"{unit}{i}": (1024 if i else 1000) ** n for n, unit in enumerate("KMGTP", 1) for i in ("", "i")},
}


def _bytes(quantity: str) -> int:
    match = re.fullmatch(r"(\d+)([A-Za-z]*)", quantity)
    assert match is not None
    return int(match[1]) * _BYTES[match[2]]


@given(st.integers(0, 4096), st.sampled_from(["B", *[f"{unit}{i}B" for unit in "KMGTP" for i in ("", "i")]]))
def test_memory_stays_the_same_amount_in_a_form_that_kubeflow_takes(number: int, unit: str) -> None:
    quantity = memory_quantity(f"{number}{unit}")
    assert _bytes(quantity) == number * _BYTES[unit.removesuffix("B")]
    # kfp.dsl.PipelineTask._validate_memory_request_limit; Kubernetes knows no K, so there must be none.
    assert re.fullmatch(r"[0-9]+(E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|Ki){0,1}", quantity)


@pytest.mark.parametrize("text", ["16", "16 GB", "GB", "16gigs", "-1GB", "1.5GB", "16iB"])
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of memory"):
        memory_quantity(text)


@pytest.mark.parametrize(("cpus", "quantity"), [(4, "4"), (4.0, "4"), (0.5, "500m"), (1.25, "1250m")])
def test_cores_are_whole_or_thousandths(cpus: float, quantity: str) -> None:
    assert cpu_quantity(cpus) == quantity
