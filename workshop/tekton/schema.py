"""The fields of Tekton's objects and their types, for `v1` and `v1beta1`.

kubectl asks for strict validation: a field that is not listed is refused by the API server. From the Go
types of tektoncd/pipeline v1.9; Kubernetes' own types are followed as far as students write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workshop.manifests import ANY, DURATION, FLAG, NUMBER, QUANTITY, TEXT, Type
from workshop.manifests import list_of as _list
from workshop.manifests import map_of as _map
from workshop.manifests import object_of as _object


def _also(base: Type, /, **fields: Type) -> Type:
    return Type("object", fields={**(base.fields or {}), **fields}, required=base.required)


def _without(base: Type, *names: str) -> Type:
    fields = {name: of for name, of in (base.fields or {}).items() if name not in names}
    return Type("object", fields=fields, required=base.required)


TEXTS: Final = _list(TEXT)

_RESOURCES: Final = _object(
    limits=_map(QUANTITY), requests=_map(QUANTITY), claims=_list(_object(("name",), name=TEXT, request=TEXT))
)
_KEY_OF: Final = _object(("key",), name=TEXT, key=TEXT, optional=FLAG)
_VALUE_FROM: Final = _object(
    secretKeyRef=_KEY_OF, configMapKeyRef=_KEY_OF, fieldRef=_object(apiVersion=TEXT, fieldPath=TEXT),
    resourceFieldRef=_object(containerName=TEXT, resource=TEXT, divisor=QUANTITY), fileKeyRef=ANY,
)  # fmt: skip
_ENV: Final = _list(_object(name=TEXT, value=TEXT, valueFrom=_VALUE_FROM))
_SECURITY: Final = _object(
    allowPrivilegeEscalation=FLAG, appArmorProfile=ANY, capabilities=_object(add=TEXTS, drop=TEXTS),
    privileged=FLAG,
    procMount=TEXT, readOnlyRootFilesystem=FLAG, runAsGroup=NUMBER, runAsNonRoot=FLAG, runAsUser=NUMBER,
    seLinuxOptions=ANY, seccompProfile=ANY, windowsOptions=ANY,
)  # fmt: skip
_MOUNT: Final = _object(
    name=TEXT, mountPath=TEXT, subPath=TEXT, subPathExpr=TEXT, readOnly=FLAG,
    mountPropagation=TEXT, recursiveReadOnly=TEXT,
)  # fmt: skip
_POD_TEMPLATE: Final = _object(
    nodeSelector=_map(TEXT), env=_ENV, tolerations=_list(ANY), affinity=ANY, volumes=_list(ANY),
    runtimeClassName=TEXT, automountServiceAccountToken=FLAG, dnsPolicy=TEXT, dnsConfig=ANY,
    enableServiceLinks=FLAG,
    priorityClassName=TEXT, schedulerName=TEXT, imagePullSecrets=_list(_object(name=TEXT)),
    hostAliases=_list(ANY),
    hostNetwork=FLAG, hostUsers=FLAG, topologySpreadConstraints=_list(ANY),
    securityContext=_object(
        appArmorProfile=ANY, fsGroup=NUMBER, fsGroupChangePolicy=TEXT, runAsGroup=NUMBER, runAsNonRoot=FLAG,
        runAsUser=NUMBER, seLinuxChangePolicy=TEXT, seLinuxOptions=ANY, seccompProfile=ANY,
        supplementalGroups=_list(NUMBER), supplementalGroupsPolicy=TEXT, sysctls=ANY, windowsOptions=ANY,
    ),
)  # fmt: skip
_CLAIM: Final = _object(
    accessModes=TEXTS, dataSource=ANY, dataSourceRef=ANY, resources=_without(_RESOURCES, "claims"),
    selector=ANY,
    storageClassName=TEXT, volumeAttributesClassName=TEXT, volumeMode=TEXT, volumeName=TEXT,
)  # fmt: skip

_PARAM: Final = _object(("name", "value"), name=TEXT, value=ANY)
_PARAM_SPEC: Final = _object(
    ("name",),
    name=TEXT,
    type=TEXT,
    description=TEXT,
    properties=_map(_object(type=TEXT)),
    default=ANY,
    enum=TEXTS,
)
_RESULT: Final = _object(
    ("name",), name=TEXT, type=TEXT, properties=_map(_object(type=TEXT)), description=TEXT, value=ANY
)
_REF: Final = _object(name=TEXT, resolver=TEXT, params=_list(_PARAM))
_OUTPUT: Final = _object(path=TEXT)
_WHEN: Final = _object(input=TEXT, operator=TEXT, values=TEXTS, cel=TEXT)
# The API asks for mountPath too; the webhook writes an empty one where it is left out.
_USAGE: Final = _object(("name",), name=TEXT, mountPath=TEXT)

_CONTAINER: Final = _object(
    image=TEXT, command=TEXTS, args=TEXTS, workingDir=TEXT, envFrom=_list(ANY), env=_ENV,
    computeResources=_RESOURCES,
    volumeMounts=_list(_MOUNT), volumeDevices=_list(ANY), imagePullPolicy=TEXT, securityContext=_SECURITY,
)  # fmt: skip
_STEP: Final = _also(
    _CONTAINER, name=TEXT, displayName=TEXT, script=TEXT, timeout=DURATION, workspaces=_list(_USAGE),
    onError=TEXT,
    stdoutConfig=_OUTPUT, stderrConfig=_OUTPUT, ref=_REF, params=_list(_PARAM), results=_list(_RESULT),
    when=_list(_WHEN),
)  # fmt: skip
_SIDECAR: Final = _also(
    _CONTAINER, name=TEXT, ports=_list(ANY), livenessProbe=ANY, readinessProbe=ANY, startupProbe=ANY,
    lifecycle=ANY,
    terminationMessagePath=TEXT, terminationMessagePolicy=TEXT, stdin=FLAG, stdinOnce=FLAG, tty=FLAG,
    script=TEXT,
    workspaces=_list(_USAGE), restartPolicy=TEXT,
)  # fmt: skip
_TASK_SPEC: Final = _object(
    params=_list(_PARAM_SPEC), displayName=TEXT, description=TEXT, steps=_list(_STEP),
    volumes=_list(ANY), stepTemplate=_CONTAINER, sidecars=_list(_SIDECAR),
    workspaces=_list(_object(("name",), name=TEXT, description=TEXT, mountPath=TEXT, readOnly=FLAG,
        optional=FLAG)),
    results=_list(_RESULT),
)  # fmt: skip
_EMBEDDED: Final = _also(
    _TASK_SPEC,
    apiVersion=TEXT,
    kind=TEXT,
    spec=ANY,
    metadata=_object(labels=_map(TEXT), annotations=_map(TEXT)),
)
_TASK_REF: Final = _also(_REF, kind=TEXT, apiVersion=TEXT)
_PIPELINE_REF: Final = _also(_REF, apiVersion=TEXT)
_PIPELINE_TASK: Final = _object(
    name=TEXT, displayName=TEXT, description=TEXT, taskRef=_TASK_REF, taskSpec=_EMBEDDED, when=_list(_WHEN),
    retries=NUMBER, runAfter=TEXTS, params=_list(_PARAM),
    matrix=_object(params=_list(_PARAM), include=_list(_object(name=TEXT, params=_list(_PARAM)))),
    workspaces=_list(_object(("name",), name=TEXT, workspace=TEXT, subPath=TEXT)), timeout=DURATION,
    pipelineRef=_PIPELINE_REF, pipelineSpec=ANY, onError=TEXT,
)  # fmt: skip
_PIPELINE_SPEC: Final = _object(
    displayName=TEXT, description=TEXT, tasks=_list(_PIPELINE_TASK), params=_list(_PARAM_SPEC),
    workspaces=_list(_object(("name",), name=TEXT, description=TEXT, optional=FLAG)),
    results=_list(_object(("name", "value"), name=TEXT, type=TEXT, description=TEXT, value=ANY)),
    finally_=_list(_PIPELINE_TASK),
)  # fmt: skip
_BINDING: Final = _object(
    name=TEXT, subPath=TEXT,
    volumeClaimTemplate=_object(apiVersion=TEXT, kind=TEXT, metadata=ANY, spec=_CLAIM, status=ANY),
    persistentVolumeClaim=_object(("claimName",), claimName=TEXT, readOnly=FLAG),
    emptyDir=_object(medium=TEXT, sizeLimit=QUANTITY),
    configMap=_object(name=TEXT, items=_list(ANY), defaultMode=NUMBER, optional=FLAG),
    secret=_object(secretName=TEXT, items=_list(ANY), defaultMode=NUMBER, optional=FLAG), projected=ANY,
    csi=ANY,
)  # fmt: skip
_TASK_RUN_SPEC: Final = _object(
    pipelineTaskName=TEXT, serviceAccountName=TEXT, podTemplate=_POD_TEMPLATE,
    stepSpecs=_list(_object(("name", "computeResources"), name=TEXT, computeResources=_RESOURCES)),
    sidecarSpecs=_list(_object(("name", "computeResources"), name=TEXT, computeResources=_RESOURCES)),
    metadata=_object(labels=_map(TEXT), annotations=_map(TEXT)), computeResources=_RESOURCES,
    timeout=DURATION,
)  # fmt: skip
_RUN_SPEC: Final = _object(
    pipelineRef=_PIPELINE_REF, pipelineSpec=_PIPELINE_SPEC, params=_list(_PARAM), status=TEXT,
    timeouts=_object(pipeline=DURATION, tasks=DURATION, finally_=DURATION),
    taskRunTemplate=_object(podTemplate=_POD_TEMPLATE, serviceAccountName=TEXT),
    workspaces=_list(_BINDING), taskRunSpecs=_list(_TASK_RUN_SPEC), managedBy=TEXT,
)  # fmt: skip

# v1beta1 keeps Kubernetes' names for a container's resources, bundles, and the run's account on top.
_OLD_CONTAINER: Final = _also(_without(_CONTAINER, "computeResources"), resources=_RESOURCES)
_OLD_CONTAINER_EXTRA: Final = {
    "ports": _list(ANY), "livenessProbe": ANY, "readinessProbe": ANY, "startupProbe": ANY, "lifecycle": ANY,
    "terminationMessagePath": TEXT, "terminationMessagePolicy": TEXT, "stdin": FLAG, "stdinOnce": FLAG,
    "tty": FLAG,
}  # fmt: skip
_OLD_STEP: Final = _also(_without(_STEP, "computeResources"), resources=_RESOURCES, **_OLD_CONTAINER_EXTRA)
_OLD_TASK_SPEC: Final = _also(
    _TASK_SPEC, steps=_list(_OLD_STEP), stepTemplate=_also(_OLD_CONTAINER, name=TEXT, **_OLD_CONTAINER_EXTRA),
    sidecars=_list(_also(_without(_SIDECAR, "computeResources"), resources=_RESOURCES)), resources=ANY,
)  # fmt: skip
_OLD_PIPELINE_TASK: Final = _also(
    _PIPELINE_TASK, taskRef=_also(_TASK_REF, bundle=TEXT), resources=ANY,
    pipelineRef=_also(_PIPELINE_REF, bundle=TEXT),
    taskSpec=_also(
        _OLD_TASK_SPEC, apiVersion=TEXT, kind=TEXT, spec=ANY,
        metadata=_object(labels=_map(TEXT), annotations=_map(TEXT)),
    ),
)  # fmt: skip
_OLD_PIPELINE_SPEC: Final = _also(
    _PIPELINE_SPEC, tasks=_list(_OLD_PIPELINE_TASK), resources=ANY, **{"finally": _list(_OLD_PIPELINE_TASK)}
)
_OLD_RUN_SPEC: Final = _also(
    _without(_RUN_SPEC, "taskRunTemplate"), pipelineRef=_also(_PIPELINE_REF, bundle=TEXT),
    pipelineSpec=_OLD_PIPELINE_SPEC, serviceAccountName=TEXT, podTemplate=_POD_TEMPLATE, timeout=DURATION,
    resources=ANY,
    taskRunSpecs=_list(_object(
        pipelineTaskName=TEXT, taskServiceAccountName=TEXT, taskPodTemplate=_POD_TEMPLATE,
        stepOverrides=_list(_object(("name", "resources"), name=TEXT, resources=_RESOURCES)),
        sidecarOverrides=_list(_object(("name", "resources"), name=TEXT, resources=_RESOURCES)),
        metadata=_object(labels=_map(TEXT), annotations=_map(TEXT)), computeResources=_RESOURCES,
        timeout=DURATION,
    )),
)  # fmt: skip

SPECS: Final[Mapping[tuple[str, str], Type]] = {
    ("v1", "Task"): _TASK_SPEC,
    ("v1", "Pipeline"): _PIPELINE_SPEC,
    ("v1", "PipelineRun"): _RUN_SPEC,
    ("v1beta1", "Task"): _OLD_TASK_SPEC,
    ("v1beta1", "Pipeline"): _OLD_PIPELINE_SPEC,
    ("v1beta1", "PipelineRun"): _OLD_RUN_SPEC,
}

# What moved between the versions: the field → where it lives in the other one.
MOVED: Final[Mapping[tuple[str, str], str]] = {
    ("v1", "resources"): "computeResources",
    ("v1", "serviceAccountName"): "taskRunTemplate.serviceAccountName",
    ("v1", "podTemplate"): "taskRunTemplate.podTemplate",
    ("v1", "timeout"): "timeouts.pipeline",
    ("v1", "bundle"): "resolver: bundles",
    ("v1", "stepOverrides"): "stepSpecs",
    ("v1", "taskServiceAccountName"): "serviceAccountName",
    ("v1", "taskPodTemplate"): "podTemplate",
    ("v1beta1", "computeResources"): "resources",
    ("v1beta1", "taskRunTemplate"): "serviceAccountName, podTemplate",
    ("v1beta1", "stepSpecs"): "stepOverrides",
    ("v1beta1", "serviceAccountName"): "taskServiceAccountName",
    ("v1beta1", "podTemplate"): "taskPodTemplate",
}
