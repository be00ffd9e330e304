"""The webhook's rules for taskRef and pipelineRef."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.manifests import Refusal
from workshop.tekton.names import repeated
from workshop.tekton.view import View
from workshop.texts import Text

_QUALIFIED: Final = re.compile(r"([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_URL: Final = re.compile(r"[\w-]+://")


def of_reference(view: View) -> Iterator[Refusal]:
    """Yield what is wrong with a reference by name or by resolver."""
    name, resolver = view.text("name"), view.text("resolver")
    if view.has("bundle"):
        message = Text(
            "{field} is refused today: use the resolver {resolver}", field="bundle", resolver="bundles"
        )
        yield Refusal("removed-field", message, (*view.path, "bundle"))
    if resolver or view.has("params"):
        if view.has("params") and name:
            message = Text("A reference has a name or a resolver with params, not both")
            yield Refusal("name-and-resolver", message, view.path)
        elif name:
            message = Text("A reference has a name or a resolver, not both")
            yield Refusal("name-and-resolver", message, view.path)
        if not resolver:
            yield Refusal("missing-field", Text("A field is missing: {field}", field="resolver"), view.path)
        for each in repeated(view.items("params")):
            message = Text("The name {name} is given twice", name=each.text("name"))
            yield Refusal("name-twice", message, (*each.path, "name"))
    elif not name:
        yield Refusal("missing-field", Text("A field is missing: {field}", field="name"), view.path)
    elif _URL.search(name) or not _QUALIFIED.fullmatch(name) or len(name) > 63:
        message = Text("{name} is no name an object can have", name=name)
        yield Refusal("invalid-name", message, (*view.path, "name"))
