"""`validate` bodies of legacy policies, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .conditions import CONDITIONS, CONTEXT, ELEMENT_CONDITIONS
from .parts import exactly, maybe, one, some, words
from .patterns import CONTAINER, IMAGES, PATTERN

LISTS: Final = words(
    [
        *["request.object.spec.containers"] * 4,
        "request.object.spec.[initContainers, containers][]",
        "request.object.spec.initContainers || `[]`",
        "request.object.spec.containers[].image",
        "request.object.spec.template.spec.containers",
        "request.object.metadata.labels",
        "items(request.object.metadata.labels || `{}`, 'key', 'value')",
        "request.object.spec.volumes",
        "request.object.missing",
        "range",
        "",
    ]
)
_MORE_OF_EACH: Final = maybe(preconditions=ELEMENT_CONDITIONS, context=CONTEXT, elementScope=st.booleans())


_EACH: Final = st.builds(
    one,
    st.one_of(
        exactly(list=LISTS, pattern=st.one_of(CONTAINER, IMAGES)),
        exactly(list=LISTS, anyPattern=some(CONTAINER, 2)),
        exactly(list=LISTS, deny=exactly(conditions=ELEMENT_CONDITIONS)),
        exactly(list=LISTS, deny=exactly(conditions=ELEMENT_CONDITIONS)),
        exactly(
            list=LISTS,
            foreach=some(exactly(list="element.ports", deny=exactly(conditions=ELEMENT_CONDITIONS)), 1),
        ),
    ),
    st.one_of(st.just({}), _MORE_OF_EACH),
)
CEL: Final = words(
    [
        "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "object.spec.containers.all(c, has(c.resources.limits) && 'cpu' in c.resources.limits)",
        "!has(object.spec.hostNetwork) || !object.spec.hostNetwork",
        "has(object.metadata.labels) && 'app' in object.metadata.labels",
        "object.metadata.labels['app'] == 'web'",
        "object.metadata.?labels.?app.orValue('') != 'web'",
        "object.spec.replicas <= 2",
        "object.metadata.name.matches('^[a-z]+$')",
        "size(object.spec.containers) == 1",
        "object.spec.containers.exists(c, c.name == 'app')",
        "object.spec.containers.map(c, c.image).filter(i, i.contains(':')).size() > 0",
        "request.operation == 'CREATE'",
        "request.namespace != 'team-a'",
        "oldObject == null || oldObject.metadata.name == object.metadata.name",
        "namespaceObject.metadata.name != 'default'",
        "quantity(object.spec.containers[0].resources.limits['memory']).isLessThan(quantity('300Mi'))",
        "object.spec.containers[0].image.split(':').size() == 2",
        "variables.images.all(i, !i.endsWith(':latest'))",
        "object.missing == 1",
        "'yes'",
        "object.spec.containers.all(c, c.image",
        "true",
        "false",
    ]
)
_EXPRESSION: Final = exactly(expression=CEL, message="no")
CEL_RULE: Final = st.builds(
    one,
    exactly(expressions=some(_EXPRESSION, 2)),
    maybe(variables=st.just([{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}])),
)
_ACTIONS: Final = maybe(
    failureAction=words(["Enforce", "Audit", "enforce"]),
    failureActionOverrides=words(
        [
            [{"action": "Enforce", "namespaces": ["team-*"]}],
            [{"action": "Audit", "namespaces": ["default"]}],
            [{"action": "Audit", "namespaceSelector": {"matchLabels": {"env": "prod"}}, "namespaces": ["*"]}],
        ]
    ),
    allowExistingViolations=st.booleans(),
    message=words(["no", "not {{ request.object.metadata.name }}", "{{ request.object.metadata.missing }}"]),
)
VALIDATE: Final = st.builds(
    one,
    st.one_of(
        exactly(pattern=PATTERN),
        exactly(pattern=PATTERN),
        exactly(anyPattern=some(PATTERN, 3)),
        exactly(deny=exactly(conditions=CONDITIONS)),
        exactly(deny=exactly(conditions=CONDITIONS)),
        exactly(deny=exactly(conditions=CONDITIONS)),
        exactly(foreach=some(_EACH, 2)),
        exactly(foreach=some(_EACH, 1)),
        exactly(cel=CEL_RULE),
        words([{"deny": {}}, {"pattern": {}}, {}]),
    ),
    st.one_of(st.just({}), st.just({}), _ACTIONS),
)
