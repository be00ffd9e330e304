"""Fixtures of the sandbox's tests: real programs where they can be had, one control plane a session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api
from workshop.sandbox.components import CORE, ON_DEMAND, selected
from workshop.sandbox.finding import take_stock
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.model import Family, Program
from workshop.sandbox.places import Cache


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sandbox: runs real control-plane components")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("sandbox"):
            # With `--dist loadgroup` one worker runs them: one control plane, not one a worker.
            item.add_marker(pytest.mark.xdist_group("sandbox"))


@pytest.fixture(scope="session")
def programs() -> None:
    """Skip where the programs cannot be had; fail where continuous integration should have built them."""
    missing = take_stock(selected((*CORE, *ON_DEMAND)), Cache.of_user()).missing
    if not missing:
        return
    names = ", ".join(family.name for family in missing)
    if os.environ.get("CI") and shutil.which("go"):
        pytest.fail(f"not built: {names} (workshop sandbox build --with tekton,rollouts)")
    pytest.skip(f"not built: {names} (workshop sandbox build --with tekton,rollouts)")


@pytest.fixture(scope="session")
def state_folder() -> Iterator[Path]:
    """A state folder of this session's own; its path is short, as sockets want it."""
    folder = Path(tempfile.mkdtemp(prefix="ws-", dir="/tmp"))
    before = os.environ.get("WORKSHOP_STATE")
    os.environ["WORKSHOP_STATE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["WORKSHOP_STATE"]
    else:
        os.environ["WORKSHOP_STATE"] = before
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def everything(programs: None, state_folder: Path) -> Iterator[Sandbox]:
    """A sandbox with all parts, up for the whole session."""
    sandbox = Sandbox.up("everything", ON_DEMAND, build_missing=False)
    yield sandbox
    sandbox.down()


@pytest.fixture
def pristine(everything: Sandbox) -> Sandbox:
    """The same sandbox, as if it had just come up."""
    everything.reset()
    return everything


@pytest.fixture
def api(pristine: Sandbox) -> Api:
    return pristine.api()


SCRIPT = "#!/bin/sh\n# {filling}\necho 'tool version {version}'\n"


def script(version: str = "1.2.3", filling: str = "") -> bytes:
    return SCRIPT.format(version=version, filling=filling).encode()


@pytest.fixture
def family() -> Family:
    """A family of one small program, which is a shell script: it runs everywhere."""
    program = Program("tool", "cmd/tool", ("--version",), "version 1.2.3", ("tool",))
    return Family("tools", "example.org/tools", "v1.2.3", (program,), {"crds": "config"})


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def built(family: Family) -> Callable[[Cache], FamilyFolder]:
    """Put that family into a cache, as a build leaves it."""

    def put(cache: Cache) -> FamilyFolder:
        folder = FamilyFolder.of(family, cache.programs)
        program, document = folder.program("tool"), folder.files / "crds" / "one.yaml"
        for path, content in ((program, script()), (document, b"kind: One\n")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        program.chmod(0o755)
        folder.record(program)
        folder.record_files([document])
        return folder

    return put
