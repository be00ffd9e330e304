"""The workshop runner: walks students through a lab, checks their work and explains the verdict."""
