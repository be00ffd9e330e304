"""Fuzzing: whatever a student hands in, the readers answer; never a crash, never given up half-way."""
