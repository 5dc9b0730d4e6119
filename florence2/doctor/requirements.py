"""The requirements of an installed package on this machine, and those of its extras."""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement

__all__ = ["applies", "required_by"]


def required_by(package: str, extra: str = "") -> list[Requirement]:
    """Return the requirements of an installed package on this machine.

    Args:
        package: its name.
        extra: return only what this extra adds; "": what the package needs without extras.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    listed = [Requirement(text) for text in metadata.requires(package) or ()]
    return [wanted for wanted in listed if applies(wanted, extra) and not (extra and applies(wanted))]


def applies(requirement: Requirement, extra: str = "") -> bool:
    """Return whether a requirement applies to this platform, this Python and an extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
