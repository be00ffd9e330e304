"""Prometheus rules and PromQL: reading rules wherever they stand, and saying what an expression measures."""
