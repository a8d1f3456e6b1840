"""The wheel alone serves every page: templates, styles, scripts, catalogues, the emulator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What is no source: made by tools, or by running things here.
MADE = (
    *("__pycache__", ".*cache", ".git", ".venv", "*.egg-info", "node_modules", "build", "dist"),
    *("instance", "screenshots"),
)


@pytest.fixture(scope="module")
def dists(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of two builds, of two copies of this source tree."""
    folders = []
    for number in range(2):
        source = tmp_path_factory.mktemp("sources") / f"copy{number}"
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*MADE))
        (source / "setup.cfg").touch()
        known = {"PYTHON": sys.executable, "SOURCE_DATE_EPOCH": "1764288000"}
        command = ["sh", ".ci/package"]
        subprocess.run(command, cwd=source, env=os.environ | known, check=True, capture_output=True)
        folders.append(source / "dist")
    return folders


@pytest.fixture(scope="module")
def names(dists: list[Path]) -> set[str]:
    """Return the names of the files in a wheel of this source tree."""
    with zipfile.ZipFile(next(dists[0].glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_an_index_shows_whole_addresses(tmp_path: Path) -> None:
    source, url = tmp_path / "source", "https://git.example/shop/flask-lineconnect"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*MADE))
    known = {"PYTHON": sys.executable, "SOURCE_DATE_EPOCH": "1764288000", "SOURCE_URL": url}
    command = ["sh", ".ci/package"]
    subprocess.run(command, cwd=source, env=os.environ | known, check=True, capture_output=True)
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        name = next(one for one in wheel.namelist() if one.endswith("/METADATA"))
        told = wheel.read(name).decode()
    assert f"Project-URL: Reports, {url}/issues\n" in told
    assert f"({url}/raw/HEAD/docs/images/phone.png)" in told
    assert f"({url}/blob/HEAD/docs/tutorial.md)" in told
    links = re.findall(r"\]\(([^)]+)\)", told.partition("\n\n")[2])
    assert [one for one in links if not one.startswith("https://")] == []
    for name in ("README.md", "setup.cfg"):
        assert (source / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    package = {f"flask_lineconnect/{name}" for name in _files(ROOT / "flask_lineconnect")}
    assert package - names == set()


def test_the_liff_pages_are_in_the_wheel(names: set[str]) -> None:
    pages = {f"flask_lineconnect/liff_pages/{name}" for name in _files(ROOT / "liff")}
    assert pages - names == set()


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"flask_lineconnect"}


def test_two_builds_are_the_same_bytes(dists: list[Path]) -> None:
    one, other = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in dists)
    assert len(one) == 2
    assert one == other


def test_the_source_distribution_has_what_its_tests_need(dists: list[Path]) -> None:
    with tarfile.open(next(dists[0].glob("*.tar.gz"))) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("flask_lineconnect", "liff", "demo_shop", "tests", "docs", "bench", "findings"):
        assert {f"{folder}/{name}" for name in _sources(ROOT / folder)} - packed == set()
    assert {"Makefile", ".ci/run", "CHANGES.md", "babel.cfg", "SECURITY.md"} <= packed


def _sources(folder: Path) -> set[str]:
    return {name for name in _files(folder) if "node_modules" not in name}
