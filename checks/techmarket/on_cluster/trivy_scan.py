"""4.3 on a cluster – what Tekton's own webhook says to the Task."""

from __future__ import annotations

from ..trivy_scan import NAME, PATH
from ._tekton_task import task_on_cluster

taken_by_tekton, as_in_the_file, has_run = task_on_cluster(PATH, NAME)
