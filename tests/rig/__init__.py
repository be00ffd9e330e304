"""Real components for tests, and for a person who wants to look (`make rig`).

`tunnel` lets a Service of the sandbox's API server end at a process of this machine; `cluster` is the sandbox
that does. The other modules start one component each.
"""
