"""The explicit commands that do change a cluster: each shows what it will do, asks, and can be run again.

Nothing of this is reachable from a check: what looks at a cluster has no verb for changing one.
"""
