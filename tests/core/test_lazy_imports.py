"""Start-up is a feature: what must not be imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_HEAVY = {"textual", "kubernetes", "rich", "sh", "aiohttp", "pydantic", "watchfiles"}
_PROBE = """
import json, sys
from workshop.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def _imported_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy() -> None:
    assert (
        _imported_by("--help") & (_HEAVY | {"yaml", "jmespath", "cel", "promql_parser", "sqlite3"}) == set()
    )


@pytest.mark.parametrize("format", ["text", "json", "junit", "markdown", "github"])
def test_an_offline_check_imports_no_screen_and_no_cluster_client(solved: Path, format: str) -> None:
    assert (
        _imported_by("check", "--offline", "--format", format, "--workspace", str(solved)) & _HEAVY == set()
    )
