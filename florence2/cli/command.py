"""``Florence2Command``: what all commands share beyond typer: the spelling of options, and one name of each in help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand

from florence2.errors import ConfigurationError

__all__ = ["LATEST", "Florence2Command", "usage_error"]

LATEST = "latest"
"""Value of ``--resume`` without a folder."""

_MAY_STAND_ALONE = {"--resume": LATEST}
"""Options whose value may be left out, which typer does not support, and the value that is then taken."""


class Florence2Command(TyperCommand):
    """A command whose options may be written with underscores, and that explains options of other tools."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after their options are spelled as they are declared."""
        return super().parse_args(ctx, list(self._spelled(args, explain=not ctx.resilient_parsing)))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print typer's page with one name of each option: with all names, 80 columns leave no room for the text.

        The page is the last thing that the command does, so the other names can be removed.
        """
        for parameter in self.params:
            del parameter.opts[1:], parameter.secondary_opts[:]
        super().format_help(ctx, formatter)

    def _spelled(self, arguments: list[str], *, explain: bool) -> Iterator[str]:
        """Yield arguments with ``-`` for ``_`` in the names of options, and with the values that were left out.

        Raises:
            ConfigurationError: an option of another tool has no equivalent.
        """
        known = {option for parameter in self.params for option in parameter.opts}
        options_end = False
        for argument, following in zip(arguments, [*arguments, "-"][1:], strict=True):
            options_end = options_end or argument == "--"
            if options_end or not argument.startswith("--"):
                yield argument
                continue
            name, equals, value = argument.partition("=")
            name = name.replace("_", "-")
            if explain and name not in known:
                _explain_foreign(name)
            if not equals and name in _MAY_STAND_ALONE and following.startswith("-"):
                yield f"{name}={_MAY_STAND_ALONE[name]}"
            else:
                yield f"{name}{equals}{value}"


def usage_error(message: str) -> ConfigurationError:
    """Return the error of a wrong command line: exit status 2."""
    error = ConfigurationError(message)
    error.exit_status = 2
    return error


def _explain_foreign(option: str) -> None:
    """Raise if an option is one of another tool and has no equivalent here."""
    from florence2.config import WITHOUT_EQUIVALENT

    if sentence := WITHOUT_EQUIVALENT.get(option.removeprefix("--").replace("-", "_")):
        raise usage_error(f"{option}: is not an option of florence2: {sentence}")
