"""What a package asks for on this machine, by itself and by each of its extras."""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement

__all__ = ["applies", "required_by"]


def required_by(package: str, extra: str = "") -> list[Requirement]:
    """Return what an installed package requires here.

    Args:
        package: its name.
        extra: whose additions are meant; "": what the package needs in any case.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    listed = [Requirement(text) for text in metadata.requires(package) or ()]
    return [wanted for wanted in listed if applies(wanted, extra) and not (extra and applies(wanted))]


def applies(requirement: Requirement, extra: str = "") -> bool:
    """Tell whether a requirement is one of this platform, this Python and an extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
