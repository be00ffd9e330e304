"""The cluster half of the exercises: one module per exercise, beside its file half of the same name.

What is judged here has been seen by a real API server: the student's, or the sandbox's.
"""
