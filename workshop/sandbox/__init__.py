"""A control plane of our own: real Kubernetes components as plain processes on loopback.

No Docker, no root, no containers. `workshop.sandbox.api.Sandbox` is what the command line, the checker
and the test fixtures use; each component is described in one module of `components`.
"""
