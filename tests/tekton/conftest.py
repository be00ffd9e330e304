"""Live tests here use the sandbox as `tests/sandbox` sets it up, and skip or fail as it does."""

# Fixtures are found by name in a conftest module.
from tests.sandbox.conftest import everything as everything
from tests.sandbox.conftest import programs as programs
from tests.sandbox.conftest import state_folder as state_folder
