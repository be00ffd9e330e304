"""Building from Go modules: with the real Go where it is there, on a module made here."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from workshop.sandbox import golang
from workshop.sandbox.building import Module, build, go_mod
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.manifest import FILES, FamilyFolder
from workshop.sandbox.model import Amendment, Family, Program
from workshop.sandbox.places import Cache
from workshop.texts import Message

_MODULE = "example.org/hello"
_MAIN = """package main

var version = "unset"

func main() {
	println("hello version", version, "listens on", address)
}

const address = "everywhere"
"""
_FAMILY = Family(
    "hello",
    _MODULE,
    "v1.0.0",
    programs=(
        Program("hello", "cmd/hello", (), "hello version 1.0 listens on loopback"),
        Program("hello-again", "cmd/hello", (), "hello version 1.0"),
    ),
    files={"crds": "config"},
    stamps={"main.version": "1.0"},
    amendments=(Amendment(_MODULE, "cmd/hello/main.go", '"everywhere"', '"loopback"'),),
)


class Said(list[str]):
    def __call__(self, message: Message) -> None:
        self.append(str(message))


def _publish(proxy: Path) -> None:
    """Put one version of one module where Go looks for modules."""
    versions = proxy / _MODULE / "@v"
    versions.mkdir(parents=True)
    manifest = f"module {_MODULE}\n\ngo 1.22\n"
    (versions / "list").write_text("v1.0.0\n")
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_text(manifest)
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as module:
        for name, content in (
            ("go.mod", manifest),
            ("cmd/hello/main.go", _MAIN),
            ("config/deep/one.yaml", "kind: One\n"),
            ("config/README.md", "not taken\n"),
        ):
            module.writestr(f"{_MODULE}@v1.0.0/{name}", content)


@pytest.fixture(scope="session")
def module_proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proxy")
    _publish(folder)
    return folder


@pytest.fixture
def go(module_proxy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real Go, that knows one module and no network."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    monkeypatch.setenv("GOPROXY", f"file://{module_proxy}")
    monkeypatch.setenv("GOSUMDB", "off")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")


def test_programs_and_files_are_made_and_proved(go: None, cache: Cache) -> None:
    said = Said()
    build([_FAMILY], cache, said)
    folder = FamilyFolder.of(_FAMILY, cache.programs)
    assert folder.missing(thoroughly=True) == []
    assert [path.relative_to(folder.files).as_posix() for path in folder.recorded_files()] == [
        "crds/deep/one.yaml"
    ]
    assert next(line for line in said if "done" in line).startswith("hello: done")
    said.clear()
    build([_FAMILY], cache, said)
    assert said == []


def test_only_what_is_damaged_is_made_again(go: None, cache: Cache) -> None:
    build([_FAMILY], cache, Said())
    folder = FamilyFolder.of(_FAMILY, cache.programs)
    with folder.program("hello").open("r+b") as file:
        file.truncate(1000)
    said = Said()
    build([_FAMILY], cache, said)
    assert FamilyFolder.of(_FAMILY, cache.programs).missing(thoroughly=True) == []
    assert not [line for line in said if line.startswith("hello-again")]


def test_an_interrupted_build_goes_on_with_the_next_program(go: None, cache: Cache) -> None:
    class Interruption(Exception):
        pass

    def interrupt(message: Message) -> None:
        if str(message).startswith("hello-again: compiling"):
            raise Interruption

    with pytest.raises(Interruption):
        build([_FAMILY], cache, interrupt)
    assert FamilyFolder.of(_FAMILY, cache.programs).missing() == ["hello-again"]
    said = Said()
    build([_FAMILY], cache, said)
    assert [line.split(":")[0] for line in said if "compiling" in line] == ["hello-again"]


def test_of_two_builders_one_waits(go: None, cache: Cache) -> None:
    said = [Said(), Said()]
    builders = [threading.Thread(target=build, args=([_FAMILY], cache, one)) for one in said]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert sorted(sum("compiling" in line for line in one) for one in said) == [0, 2]
    assert FamilyFolder.of(_FAMILY, cache.programs).missing() == []


def test_a_program_that_is_not_what_it_should_be_is_not_kept(go: None, cache: Cache) -> None:
    wrong = Family(
        "hello",
        _MODULE,
        "v1.0.0",
        (Program("hello", "cmd/hello", (), "hello version 2"),),
        {"crds": "config"},
    )
    with pytest.raises(SandboxError, match="does not work here") as raised:
        build([wrong], cache, Said())
    assert raised.value.details == ("hello version unset listens on everywhere",)
    folder = FamilyFolder.of(wrong, cache.programs)
    assert folder.missing() == ["hello"]
    assert list(folder.program("hello").parent.iterdir()) == []


def test_a_source_that_is_not_what_we_know_is_not_compiled(go: None, cache: Cache) -> None:
    unknown = Family(
        "hello",
        _MODULE,
        "v1.0.0",
        (Program("hello", "cmd/hello", (), "hello"),),
        amendments=(Amendment(_MODULE, "cmd/hello/main.go", '"elsewhere"', '"loopback"'),),
    )
    with pytest.raises(SandboxError, match="is not what we know"):
        build([unknown], cache, Said())


def test_a_version_that_does_not_exist(go: None, cache: Cache) -> None:
    gone = Family("hello", _MODULE, "v9.9.9", (Program("hello", "cmd/hello", (), "hello"),))
    with pytest.raises(SandboxError, match="could not be fetched") as raised:
        build([gone], cache, Said())
    assert raised.value.remedy is not None


def _path_with(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> None:
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_without_go(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="neither is Go") as raised:
        build([_FAMILY], cache, Said())
    assert "--from FILE" in str(raised.value.remedy)


@pytest.mark.parametrize(("have", "refused"), [("go1.21.9", True), ("go1.22.0", False), ("go1.27.1", False)])
def test_an_old_go(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, have: str, refused: bool
) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text(f"module {_MODULE}\n\ngo 1.22.0\n")
    answers = f"""case "$1" in
    env) printf '{have}\\nlocal\\n' ;;
    mod) echo '{{"Dir": "{module}"}}' ;;
    *) echo 'it compiles' >&2; exit 1 ;;
esac"""
    _path_with(tmp_path / "path", monkeypatch, go=answers)
    plain = Family("hello", _MODULE, "v1.0.0", (Program("hello", "cmd/hello", (), "hello"),))
    with pytest.raises(SandboxError) as raised:
        build([plain], cache, Said())
    assert ("needs Go 1.22.0 or newer" in str(raised.value)) is refused
    assert (raised.value.details == ("it compiles",)) is not refused


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("write /x: no space left on device", "The disk is full"),
        ("dial tcp: lookup example.org: no such host", "could not reach its module proxy"),
        ("undefined: thing", "Run it again"),
        ("compile: signal: killed", "Memory has run out"),
    ],
)
def test_a_build_that_fails_says_what_to_try(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    monkeypatch.setattr(golang, "_PAUSES_SECONDS", ())
    _path_with(tmp_path / "path", monkeypatch, go=f"echo '{said}' >&2; exit 1")
    with pytest.raises(SandboxError) as raised:
        build([_FAMILY], cache, Said())
    assert remedy in str(raised.value.remedy)
    assert raised.value.details == (said,)


def test_a_busy_module_proxy_is_asked_again(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golang, "_PAUSES_SECONDS", (0.0, 0.0))
    tries = tmp_path / "tries"
    _path_with(
        tmp_path / "path", monkeypatch, go=f"echo x >>{tries}; echo 'dial tcp: i/o timeout' >&2; exit 1"
    )
    with pytest.raises(SandboxError, match="could not be fetched"):
        build([_FAMILY], cache, Said())
    assert tries.read_text().split() == ["x", "x", "x"]


def test_families_are_built_side_by_side_and_one_that_fails_ends_the_others(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workshop.sandbox.building.lanes", lambda: 2)
    meeting = tmp_path / "meeting"
    os.mkfifo(meeting)
    # The second ends only when the first is there at the same time; the first would never end.
    answers = f"""case "$4" in
    *first*) echo here >{meeting}; exec sleep 600 ;;
    *) read -r word <{meeting}; echo "met: $word" >&2; exit 1 ;;
esac"""
    _path_with(tmp_path / "path", monkeypatch, go=answers)
    families = [
        Family(name, f"example.org/{name}", "v1.0.0", files={"a": "b"}) for name in ("first", "second")
    ]
    with pytest.raises(SandboxError, match="second") as raised:
        build(families, cache, Said())
    assert raised.value.details == ("met: here",)


def test_without_a_home(go: None, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("GOCACHE", raising=False)
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "elsewhere"))
    build([_FAMILY], cache, Said())
    assert FamilyFolder.of(_FAMILY, cache.programs).missing() == []
    assert (tmp_path / "elsewhere" / "go").is_dir()


def test_files_alone_take_no_room(go: None, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=2_000_000_000))
    build([Family("hello", _MODULE, "v1.0.0", files={"crds": "config"})], cache, Said())


def test_too_little_room(cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _path_with(tmp_path / "path", monkeypatch, go="exit 1")
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=2_000_000_000))
    with pytest.raises(SandboxError, match=r"Only 2\.0 GB are free") as raised:
        build([_FAMILY], cache, Said())
    assert "WORKSHOP_CACHE" in str(raised.value.remedy)


def test_replacements_of_the_module_are_repeated(tmp_path: Path) -> None:
    text = """module k8s.io/kubernetes

go 1.25.0

godebug default=go1.25

require example.org/fork v1.0.0

replace example.org/fork => example.org/fork/v2 v2.1.0

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	example.org/outside => ../outside // the authors' own arrangement
)
"""
    family = Family(
        "kubernetes", "k8s.io/kubernetes", "v1.35.4", (Program("kubectl", "cmd/kubectl", (), ""),)
    )
    made = go_mod(family, Module(tmp_path, text, "")).splitlines()
    assert "go 1.25.0" in made
    assert "godebug default=go1.25" in made
    assert "require k8s.io/kubernetes v1.35.4" in made
    assert [line for line in made if line.startswith("replace")] == [
        "replace example.org/fork => example.org/fork/v2 v2.1.0",
        "replace k8s.io/api => k8s.io/api v0.35.4",
    ]


def test_files_are_taken_without_compiling_anything(go: None, cache: Cache) -> None:
    definitions = Family("hello", _MODULE, "v1.0.0", files={"crds": "config/deep/one.yaml"})
    assert FamilyFolder.of(definitions, cache.programs).missing() == [FILES]
    said = Said()
    build([definitions], cache, said)
    folder = FamilyFolder.of(definitions, cache.programs)
    assert [path.name for path in folder.recorded_files()] == ["one.yaml"]
    assert not any("compiling" in line for line in said)
