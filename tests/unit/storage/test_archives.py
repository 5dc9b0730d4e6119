"""Archives: all content is extracted, and a refused archive writes nothing outside and leaves nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.errors import DatasetError
from florence2.storage import archives
from florence2.storage.archives import extract, is_archive

CONTENT = {"train/a.txt": b"one", "train/deep/b.txt": b"", "c d.txt": b"x" * 3_000_000}


def make_zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], compression: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def make_tar(path: Path, *members: tuple[str | tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return path


def pack(path: Path, *members: tuple[str, bytes]) -> Path:
    """Make the kind of archive that the suffix names."""
    compression = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
    return make_zip(path, *members) if path.suffix == ".zip" else make_tar(path, *members, mode=f"w:{compression}")


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tar_entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o6777
    return info


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".TAR"])
def test_all_content_is_extracted(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"a{suffix}", *CONTENT.items())
    extract(archive, tmp_path / "out")
    assert content_of(tmp_path / "out") == CONTENT
    assert stat.S_IMODE((tmp_path / "out/train/a.txt").stat().st_mode) & 0o7111 == 0


def test_archives_are_known_by_their_suffix() -> None:
    assert [name for name in ("a.zip", "a.TGZ", "a.tar.xz", "a.gz", "zip", "a.tar.zst") if is_archive(name)] == [
        "a.zip",
        "a.TGZ",
        "a.tar.xz",
    ]


def test_folders_dots_and_windows_slashes(tmp_path: Path) -> None:
    extract(make_zip(tmp_path / "a.zip", ("./x/", b""), ("x\\y/./z.txt", b"1")), tmp_path / "zip")
    assert content_of(tmp_path / "zip") == {"x/y/z.txt": b"1"}
    folder = tar_entry("./", tarfile.DIRTYPE)
    extract(make_tar(tmp_path / "a.tar", (folder, b""), ("./x/z.txt", b"1")), tmp_path / "tar")
    assert content_of(tmp_path / "tar") == {"x/z.txt": b"1"}


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "C:/evil", "C:evil", "..\\evil", "new\nline", "nul\x7f"]
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, make: Callable[..., Path]) -> None:
    archive = make(tmp_path / f"a.{make.__name__[-3:]}", ("good.txt", b"1"), (name, b"2"))
    with pytest.raises(DatasetError, match=r"a\.(zip|tar): '.*(evil|line|nul).*'.*; pack"):
        extract(archive, tmp_path / "x" / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [archive.name, "x"]


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.text("./\\a:", min_size=1, max_size=8))
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    archive = make_tar(folder / "a.tar", (name, b"1"))
    try:
        extract(archive, folder / "x" / "out")
    except DatasetError:
        assert not (folder / "x" / "out").exists()
    assert {path.name for path in folder.iterdir()} == {"a.tar", "x"}
    assert all(path.name == "out" for path in (folder / "x").iterdir())


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_tar_members_that_are_no_files_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = make_tar(tmp_path / "a.tar", ("a", b"1"), (tar_entry("bad", kind, "a"), b""), ("bad/b", b"2"))
    with pytest.raises(DatasetError, match="'bad' is a link, a device"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_zip_members_that_are_no_files_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("bad")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DatasetError, match="'bad' is a symbolic link"):
        extract(make_zip(tmp_path / "a.zip", (info, b"/etc/passwd")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["x/a", "./x//a", "x/a/b", "x"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_used_twice_is_refused(tmp_path: Path, second: str, make: Callable[..., Path]) -> None:
    archive = make(tmp_path / f"a.{make.__name__[-3:]}", ("x/a", b"1"), (second, b"2"))
    with pytest.raises(DatasetError, match="is there twice, or as a file and as a folder"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_bombs_are_counted_as_they_are_written(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 2_000_000)
    monkeypatch.setattr(archives, "MAX_RATIO", 1)
    archive = tmp_path / f"a{suffix}"
    members = [(f"{number}", bytes(700_000)) for number in range(3)]
    pack(archive, *members)
    if suffix == ".zip":
        # A header that lies about the size does not help.
        lie = archive.read_bytes().replace((700_000).to_bytes(4, "little"), (1).to_bytes(4, "little"))
        archive.write_bytes(lie)
    if suffix == ".tar":
        extract(archive, tmp_path / "out")  # as large as the archive itself
        return
    with pytest.raises(DatasetError, match=r"'2' makes the content more than 1 times|damaged"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_members_are_bounded_with_the_folders_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 4)
    extract(make_tar(tmp_path / "a.tar", ("a/b/c", b""), ("d", b"")), tmp_path / "out")
    with pytest.raises(DatasetError, match="beyond the 4 members"):
        extract(make_tar(tmp_path / "b.tar", ("a/b/c/d/e", b"")), tmp_path / "more")


def test_a_tar_header_of_many_megabytes_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        info = tar_entry("././@LongLink", tarfile.GNUTYPE_LONGNAME)
        info.size = 64 << 20
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(64 << 20))
    with pytest.raises(DatasetError, match="damaged or no archive"):
        extract(path, tmp_path / "out")


def test_encrypted_and_rarely_compressed_zips(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", ("a", b"1"))
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match="'a' is encrypted; extract it yourself"):
        extract(archive, tmp_path / "out")
    with pytest.raises(DatasetError, match="rare method"):
        extract(make_zip(tmp_path / "b.zip", ("a", b"1"), compression=zipfile.ZIP_BZIP2), tmp_path / "out")


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_cut_off_archives_are_refused(tmp_path: Path, suffix: str, part: float) -> None:
    archive = tmp_path / f"a{suffix}"
    members = [(f"{number}.bin", os.urandom(900)) for number in range(20)]
    pack(archive, *members)
    data = archive.read_bytes()
    end = 20 * 1536 if suffix == ".tar" else len(data)
    archive.write_bytes(data[: int(end * part) // 512 * 512])
    with pytest.raises(DatasetError, match=r"a\.(zip|tar).*: (damaged or no archive|cannot be extracted)"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, bytes])
def test_damage_in_the_middle_is_noticed(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    plain = bytearray(make_tar(tmp_path / "p.tar", ("a", b"1"), ("b", b"2")).read_bytes())
    plain[1024 + 3] ^= 1  # in the header of the second member
    (tmp_path / "a.tar").write_bytes(compress(bytes(plain)))
    with pytest.raises(DatasetError, match="damaged or no archive"):
        extract(tmp_path / "a.tar", tmp_path / "out")


def test_a_wrong_check_sum_at_the_end_is_noticed(tmp_path: Path) -> None:
    data = bytearray(make_tar(tmp_path / "a.tar.gz", ("a", b"1"), mode="w:gz").read_bytes())
    data[-6] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(data)
    with pytest.raises(DatasetError, match="CRC"):
        extract(tmp_path / "a.tar.gz", tmp_path / "out")
