"""Extracting archives that others made: only into the target folder, within bounds, and all or nothing.

``tarfile``'s data filter (PEP 706) and ``zipfile.extract`` are not enough here, so this module checks and writes the
members itself. Of 33 hostile archives of its tests the two libraries refuse nine: devices, pipes, ``..`` in tar files,
and a name that is both file and folder. They extract the others: absolute names and names with drives, backslashes or
control characters, links within the target, sparse files, a second member of the same name. They take a damaged header
in the middle of a tar file for its end, ignore its wrong check sum, and bound neither bytes, members nor headers.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Self

from florence2.errors import DatasetError
from florence2.storage.safe_names import safe_parts

__all__ = ["extract", "is_archive"]

MAX_MEMBERS = 5_000_000
"""Most files and folders of an archive: several times those of the largest public data sets, and few enough for the
inodes of a usual disk."""

MAX_RATIO, FREE_BYTES = 100, 1 << 30
"""The content may be this many times as large as the archive, or have this many bytes if that is more. Images hardly
shrink, annotations shrink to about a twentieth; a decompression bomb shrinks to a thousandth."""

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_BLOCK = 1 << 20
_MAX_HEADER_BYTES = 16 << 20
"""Most bytes between the contents of two members of a tar file; they are read into memory. Names have at most 4 KiB."""

_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, UnicodeError,
    ValueError, OverflowError, RuntimeError, IndexError, MemoryError,
)  # fmt: skip
"""Exceptions that the libraries raise for damaged archives."""


def is_archive(name: str) -> bool:
    """Return whether a file is named like an archive that can be extracted."""
    return name.lower().endswith(_SUFFIXES)


def extract(archive: Path, target: Path) -> None:
    """Extract an archive.

    Permissions, owners and times in the archive are ignored.

    Args:
        archive: a .zip, or a .tar, also compressed by gzip, bzip2 or xz.
        target: a folder that does not exist; it is removed again after an error.

    Raises:
        DatasetError: the archive is damaged or encrypted, holds anything but files and folders with names inside the
            target, holds more than ``MAX_MEMBERS`` or ``MAX_RATIO`` allow, or the disk is full.
    """
    writer = _Writer(archive, target)
    try:
        target.mkdir(parents=True)
        (_extract_zip if archive.name.lower().endswith(".zip") else _extract_tar)(archive, writer)
    except _RefusedError as exc:
        raise DatasetError(str(exc)) from None
    except _BROKEN as exc:
        raise DatasetError(f"{archive}: damaged or no archive ({exc}); download or pack it again") from exc
    except OSError as exc:
        detail = exc.strerror or exc  # gzip and bz2 raise those without a number for damaged data
        where = f" at {writer.member!r}" if writer.member else ""
        raise DatasetError(
            f"{archive}{where}: cannot be extracted ({detail}); check the archive and the space on the disk"
        ) from exc
    finally:
        if not writer.complete:
            shutil.rmtree(target, ignore_errors=True)


class _RefusedError(Exception):
    """The archive holds a member that is not extracted."""


class _CutOffError(tarfile.TarError):
    """A tar file ends too early, or holds something other than a member where a member begins."""


class _Writer:
    """Writes members below a folder, and counts members and bytes."""

    def __init__(self, archive: Path, target: Path) -> None:
        self._archive, self._target = archive, target
        self._bytes_left = max(FREE_BYTES, MAX_RATIO * archive.stat().st_size) if archive.is_file() else 0
        self._members = 0
        self._folders = {target}
        self.member = ""
        self.complete = False

    def refuse(self, reason: str, remedy: str = "pack the data set again without it") -> _RefusedError:
        return _RefusedError(f"{self._archive}: {self.member!a} {reason}; {remedy}")

    def path_of(self, name: str) -> Path:
        """Return the path of a member; its folders are made."""
        self.member = name
        self._count()
        try:
            parts = safe_parts(name)
        except ValueError as exc:
            raise self.refuse(str(exc)) from None
        path = self._target.joinpath(*parts)
        self._make(path.parent if parts else path)
        return path

    def folder(self, name: str) -> None:
        self._make(self.path_of(name))

    def file(self, name: str, content: IO[bytes]) -> None:
        path = self.path_of(name)
        try:
            # "x" refuses an existing name, also where the file system treats a.png and A.PNG as the same.
            with path.open("xb") as handle:
                while block := content.read(_BLOCK):
                    self._bytes_left -= len(block)
                    if self._bytes_left < 0:
                        raise self.refuse("makes the content more than " + self._bound(), "extract it yourself")
                    handle.write(block)
        except (FileExistsError, IsADirectoryError):
            raise self.refuse("is there twice, or as a file and as a folder") from None

    def _make(self, folder: Path) -> None:
        missing = []
        while folder not in self._folders:
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            self._count()
            try:
                path.mkdir()
            except FileExistsError:
                raise self.refuse("is there twice, or as a file and as a folder") from None
            self._folders.add(path)

    def _count(self) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise self.refuse(f"is beyond the {MAX_MEMBERS} members that are extracted", "extract it yourself")

    def _bound(self) -> str:
        return f"{MAX_RATIO} times as large as the archive and than {FREE_BYTES >> 20} MiB"


def _extract_zip(archive: Path, writer: _Writer) -> None:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            # Some programs on Windows write backslashes instead of slashes.
            name = info.orig_filename.replace("\\", "/")
            writer.member = name
            kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise writer.refuse("is a symbolic link or a device")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # The others are decompressed without a bound for what comes out of a block.
                raise writer.refuse("is compressed by a rare method", "pack the data set again with the usual one")
            if info.flag_bits & 0x1:
                raise writer.refuse("is encrypted", "extract it yourself and give the folder")
            if name.endswith("/"):
                writer.folder(name)
            else:
                with opened.open(info) as content:
                    writer.file(name, content)
    writer.complete = True


def _extract_tar(archive: Path, writer: _Writer) -> None:
    with archive.open("rb") as packed, _decompressor(packed)(packed) as plain:
        source = _Metered(plain)
        with tarfile.open(fileobj=source, mode="r|", tarinfo=_StrictHeader) as opened:
            while (member := opened.next()) is not None:
                opened.members = []  # type: ignore[attr-defined]  # else it keeps all of them
                writer.member = member.name
                if member.isdir():
                    writer.folder(member.name)
                elif member.isreg() and member.sparse is None and (content := opened.extractfile(member)) is not None:
                    source.allow(member.size)
                    writer.file(member.name, content)
                else:
                    raise writer.refuse("is a link, a device, a pipe or a sparse file")
                source.reset()
        while source.read(_BLOCK):
            pass  # up to the check sum of the compression
    writer.complete = True


class _StrictHeader(tarfile.TarInfo):
    """A member's header; ``tarfile`` alone treats a damaged one as the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the regular end
            raise
        except tarfile.HeaderError as exc:
            raise _CutOffError(f"{exc} where a member or the end should be") from exc


def _decompressor(packed: BinaryIO) -> Callable[[BinaryIO], contextlib.AbstractContextManager[Any]]:
    """Return the opener for the compression, found by the first bytes, because suffixes are often wrong."""
    start = packed.read(6)
    packed.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open
    if start.startswith(b"BZh"):
        return bz2.open
    return lzma.open if start.startswith(b"\xfd7zXZ\x00") else contextlib.nullcontext


class _Metered(io.RawIOBase):
    """A stream that limits the bytes between contents, because ``tarfile`` reads headers of any length into memory."""

    def __init__(self, plain: IO[bytes]) -> None:
        self._plain = plain
        self._allowed = _MAX_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        block = self._plain.read(size)
        self._allowed -= len(block)
        if self._allowed < 0:
            raise tarfile.ReadError("a header of many megabytes")
        return block

    def reset(self) -> None:
        self._allowed = _MAX_HEADER_BYTES

    def allow(self, size: int) -> None:
        self._allowed += size
