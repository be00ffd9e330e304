"""Proof that the checks can fail: what becomes of the reference solutions when somebody makes a mistake."""
