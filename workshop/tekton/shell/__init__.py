"""What a step's shell script would do: a model of the POSIX shell that runs nothing.

A script is followed command by command, with a caller's answer to what each command would exit with.
Where the way depends on something unknown (a file, a value of the run) every way is followed.
"""

from workshop.tekton.shell.outcome import Ran, Way
from workshop.tekton.shell.running import follow, follow_argv
from workshop.tekton.shell.syntax import Beyond

__all__ = ["Beyond", "Ran", "Way", "follow", "follow_argv"]
