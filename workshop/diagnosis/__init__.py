"""What is wrong on a cluster: symptoms read from status, conditions and events of what an exercise has there.

Pure readers over the `Cluster` port, one module a family; the troubleshooting guide says what to do about
what they find. They never change a verdict.
"""
