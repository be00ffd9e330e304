"""The network half of the exercises: one module per exercise, beside its file half of the same name.

What is judged here is what everybody can see: images in their registry, and the signatures attached to them.
"""
