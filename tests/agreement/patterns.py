"""`validate.pattern` with every operator and anchor, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .parts import Strategy, some, words

IMAGES: Final = words(
    [
        "!*:latest",
        "*:*",
        "nginx*",
        "*:latest",
        "!*:latest & *:*",
        "ghcr.io/* | nginx:*",
        "?*",
        "*",
        "!nginx:latest",
        "",
    ]
)
QUANTITIES: Final = words(
    [
        "?*",
        "*",
        "<=1",
        ">=100m",
        "<1Gi",
        "100m-1",
        "64Mi-512Mi",
        "!500m",
        ">0",
        "500m",
        "0.5",
        "!1Gi-2Gi",
        1,
        "?",
        None,
    ]
)
_TEXTS: Final = words(
    ["?*", "*", "web", "!web", "web | batch", "w?b", "", "prod", None, ">1.2", "prod & web"]
)
_NUMBERS: Final = words([0, 1, 3, ">0", "<=3", "1-3", "1!-2", "!0", "?*", 80, "8080 | 80", 1.5, "3"])
_FLAGS: Final = words([True, False, "true", "!true", "false | true", None])


def keyed(fields: dict[str, Strategy], *, lists: tuple[str, ...] = ()) -> Strategy:
    """A map of one or more of these fields, some under an anchor; lists may take an existence anchor."""

    def entry(name: str) -> Strategy:
        bare = st.builds(lambda value: (name, value), fields[name])
        marks = ["()", "=()", "X()", "<()", "=()", *(["^()"] * 3 if name in lists else [])]
        marked = st.builds(
            lambda mark, value: (mark.replace("()", f"({name})"), value), words(marks), fields[name]
        )
        return st.one_of(bare, bare, marked)

    pairs = st.lists(
        st.one_of([entry(name) for name in fields]), min_size=1, max_size=3, unique_by=lambda p: p[0]
    )
    return st.builds(dict, pairs)


CONTAINER: Final = keyed(
    {
        "name": words(["?*", "app", "!sidecar", "*"]),
        "image": IMAGES,
        "imagePullPolicy": words(["Always", "!Always", "IfNotPresent | Always"]),
        "resources": keyed(
            {
                "limits": keyed({"cpu": QUANTITIES, "memory": QUANTITIES}),
                "requests": keyed({"cpu": QUANTITIES, "memory": QUANTITIES}),
            }
        ),
        "securityContext": keyed({"privileged": _FLAGS, "runAsUser": _NUMBERS}),
        "ports": st.lists(keyed({"containerPort": _NUMBERS}), max_size=1),
        "env": st.lists(keyed({"name": _TEXTS, "value": _TEXTS}), max_size=1),
    },
    lists=("ports", "env"),
)
_LIST_OFCONTAINERS: Final = st.one_of(st.builds(lambda c: [c], CONTAINER), some(CONTAINER, 2), CONTAINER)
_METADATA: Final = keyed(
    {
        "labels": keyed({"app": _TEXTS, "env": _TEXTS, "a*": _TEXTS, "cost-center": _TEXTS}),
        "annotations": keyed({"owner": _TEXTS, "ttl": words(["<2h", ">1h", "?*"]), "own*": _TEXTS}),
        "name": _TEXTS,
        "namespace": words(["team-*", "!default", "default"]),
    }
)
PATTERN: Final = keyed(
    {
        "spec": keyed(
            {
                "containers": _LIST_OFCONTAINERS,
                "initContainers": _LIST_OFCONTAINERS,
                "volumes": st.lists(
                    keyed({"hostPath": words([None, {"path": "/var/*"}]), "name": _TEXTS}), max_size=2
                ),
                "hostNetwork": _FLAGS,
                "replicas": _NUMBERS,
                "securityContext": keyed({"runAsNonRoot": _FLAGS}),
                "nodeSelector": keyed({"disk": _TEXTS}),
                "ports": st.lists(keyed({"port": _NUMBERS, "targetPort": _NUMBERS}), min_size=1, max_size=1),
            },
            lists=("containers", "initContainers", "volumes", "ports"),
        ),
        "metadata": _METADATA,
        "data": keyed(
            {"count": _NUMBERS, "size": QUANTITIES, "wait": words([">1h", "90m", "<=1h30m", "1h-2h"])}
        ),
    }
)
