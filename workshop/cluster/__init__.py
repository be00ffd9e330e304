"""A cluster as checks see it: read-only, whatever is behind it.

`port` says what a check may ask, `live` asks a real API server, `denials` reads who refused an object.
Nothing here imports a Kubernetes client until a cluster is really looked at.
"""

from workshop.cluster.port import Cluster, Decision, Unreachable

__all__ = ["Cluster", "Decision", "Unreachable"]
