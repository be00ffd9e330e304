"""The fields of the custom resources of this lab that no other reader knows, as far as students write them.

Told in the words of `workshop.manifests`, after the CustomResourceDefinitions of prometheus-operator,
chaos-operator, argo-rollouts and provider-helm. Parts that nobody writes here are `ANY`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workshop.manifests import (
    ANY,
    FLAG,
    NUMBER,
    TEXT,
    TEXT_OR_NUMBER,
    Refusal,
    Type,
    list_of,
    map_of,
    metadata_refusals,
    object_of,
    one_of,
    refusals,
    wrong_type,
)
from workshop.texts import Text
from workshop.workspace import Document

_TEXTS: Final = list_of(TEXT)
_SELECTOR: Final = object_of(
    matchLabels=map_of(TEXT),
    matchExpressions=list_of(object_of(("key", "operator"), key=TEXT, operator=TEXT, values=_TEXTS)),
)

PROMETHEUS_RULE: Final = object_of(
    groups=list_of(
        object_of(
            ("name",), name=TEXT, interval=TEXT, labels=map_of(TEXT), limit=NUMBER, query_offset=TEXT,
            partial_response_strategy=TEXT,
            rules=list_of(
                object_of(
                    ("expr",), record=TEXT, alert=TEXT, expr=TEXT_OR_NUMBER, for_=TEXT, keep_firing_for=TEXT,
                    labels=map_of(TEXT), annotations=map_of(TEXT),
                )
            ),
        )
    )
)  # fmt: skip

# Litmus 3 writes durations as texts ("2s"), Litmus 2 as numbers; they differ in what a probe must have, too.
_COMPARATOR: Final = object_of(type=TEXT, criteria=TEXT, value=TEXT)
_HTTP_CALL: Final = object_of(
    criteria=TEXT, responseCode=TEXT, contentType=TEXT, body=TEXT, bodyPath=TEXT
)  # fmt: skip
_PROBE: Final = object_of(
    name=TEXT, data=TEXT,
    type=one_of("k8sProbe", "httpProbe", "cmdProbe", "promProbe", "sloProbe"),
    mode=one_of("SOT", "EOT", "Edge", "Continuous", "OnChaos"),
    runProperties=object_of(
        probeTimeout=TEXT_OR_NUMBER, interval=TEXT_OR_NUMBER, retry=NUMBER, attempt=NUMBER, initialDelay=TEXT,
        probePollingInterval=TEXT_OR_NUMBER, evaluationTimeout=TEXT, initialDelaySeconds=NUMBER,
        stopOnFailure=FLAG,
    ),
    **{
        "httpProbe/inputs": object_of(
            url=TEXT, insecureSkipVerify=FLAG, responseTimeout=NUMBER,
            method=object_of(get=_HTTP_CALL, post=_HTTP_CALL),
        ),
        "promProbe/inputs": object_of(endpoint=TEXT, query=TEXT, queryPath=TEXT, comparator=_COMPARATOR),
        "cmdProbe/inputs": object_of(command=TEXT, comparator=_COMPARATOR, source=ANY),
        "k8sProbe/inputs": object_of(
            group=TEXT, version=TEXT, resource=TEXT, namespace=TEXT, resourceNames=TEXT, fieldSelector=TEXT,
            labelSelector=TEXT, operation=one_of("present", "absent", "create", "delete"),
        ),
    },
)  # fmt: skip
CHAOS_ENGINE: Final = object_of(
    engineState=one_of("active", "stop"), chaosServiceAccount=TEXT, auxiliaryAppInfo=TEXT,
    annotationCheck=ANY, defaultHealthCheck=ANY, jobCleanUpPolicy=one_of("delete", "retain"),
    terminationGracePeriodSeconds=NUMBER,
    appinfo=object_of(appns=TEXT, applabel=TEXT, appkind=TEXT),
    selectors=object_of(
        pods=list_of(object_of(("names", "namespace"), names=TEXT, namespace=TEXT)),
        workloads=list_of(
            object_of(("kind", "namespace"), kind=TEXT, names=TEXT, labels=TEXT, namespace=TEXT)
        ),
    ),
    components=object_of(runner=object_of(image=TEXT, type=TEXT)),
    experiments=list_of(
        object_of(
            name=TEXT,
            spec=object_of(
                probe=list_of(_PROBE),
                components=object_of(
                    env=list_of(object_of(("name",), name=TEXT, value=TEXT, valueFrom=ANY)),
                    experimentImage=TEXT, experimentAnnotations=map_of(TEXT), nodeSelector=map_of(TEXT),
                    tolerations=list_of(ANY), configMaps=list_of(ANY), secrets=list_of(ANY),
                    statusCheckTimeouts=object_of(delay=NUMBER, timeout=NUMBER),
                ),
            ),
        )
    ),
)  # fmt: skip

_VALUE_FROM: Final = object_of(
    fieldRef=object_of(("fieldPath",), fieldPath=TEXT),
    secretKeyRef=object_of(("key", "name"), key=TEXT, name=TEXT),
    podTemplateHashValue=TEXT,
)
_ARGUMENTS: Final = list_of(object_of(("name",), name=TEXT, value=TEXT, valueFrom=_VALUE_FROM))
_TEMPLATES: Final = list_of(object_of(templateName=TEXT, clusterScope=FLAG))
_ANALYSIS: Final = object_of(
    templates=_TEMPLATES, args=_ARGUMENTS, startingStep=NUMBER, analysisRunMetadata=ANY,
    dryRun=list_of(object_of(("metricName",), metricName=TEXT)),
    measurementRetention=list_of(object_of(("limit", "metricName"), limit=NUMBER, metricName=TEXT)),
)  # fmt: skip
_META: Final = object_of(labels=map_of(TEXT), annotations=map_of(TEXT))
_STEP: Final = object_of(
    setWeight=NUMBER, pause=object_of(duration=TEXT_OR_NUMBER), analysis=_ANALYSIS, experiment=ANY,
    plugin=ANY,
    setCanaryScale=object_of(weight=NUMBER, replicas=NUMBER, matchTrafficWeight=FLAG),
    setHeaderRoute=ANY, setMirrorRoute=ANY,
)  # fmt: skip
ROLLOUT: Final = object_of(
    replicas=NUMBER, revisionHistoryLimit=NUMBER, minReadySeconds=NUMBER, paused=FLAG, restartAt=TEXT,
    progressDeadlineSeconds=NUMBER, progressDeadlineAbort=FLAG, rollbackWindow=object_of(revisions=NUMBER),
    analysis=object_of(successfulRunHistoryLimit=NUMBER, unsuccessfulRunHistoryLimit=NUMBER),
    selector=_SELECTOR,
    workloadRef=object_of(
        apiVersion=TEXT, kind=TEXT, name=TEXT, scaleDown=one_of("never", "onsuccess", "progressively")
    ),
    template=object_of(metadata=_META, spec=ANY),
    strategy=object_of(
        blueGreen=ANY,
        canary=object_of(
            steps=list_of(_STEP), analysis=_ANALYSIS, canaryService=TEXT, stableService=TEXT,
            trafficRouting=ANY, maxSurge=TEXT_OR_NUMBER, maxUnavailable=TEXT_OR_NUMBER,
            canaryMetadata=_META, stableMetadata=_META, abortScaleDownDelaySeconds=NUMBER,
            scaleDownDelaySeconds=NUMBER, scaleDownDelayRevisionLimit=NUMBER, minPodsPerReplicaSet=NUMBER,
            dynamicStableScale=FLAG, antiAffinity=ANY, pingPong=ANY, replicaProgressThreshold=ANY,
        ),
    ),
)  # fmt: skip
_METRIC: Final = object_of(
    ("name", "provider"), name=TEXT, interval=TEXT, initialDelay=TEXT, count=TEXT_OR_NUMBER,
    successCondition=TEXT, failureCondition=TEXT, failureLimit=TEXT_OR_NUMBER,
    inconclusiveLimit=TEXT_OR_NUMBER, consecutiveErrorLimit=TEXT_OR_NUMBER,
    consecutiveSuccessLimit=TEXT_OR_NUMBER,
    provider=object_of(
        prometheus=object_of(
            address=TEXT, query=TEXT, timeout=NUMBER, insecure=FLAG, authentication=ANY, headers=list_of(ANY),
            rangeQuery=ANY,
        ),
        datadog=ANY, newRelic=ANY, wavefront=ANY, web=ANY, job=ANY, kayenta=ANY, cloudWatch=ANY, graphite=ANY,
        influxdb=ANY, skywalking=ANY, plugin=ANY,
    ),
)  # fmt: skip
ANALYSIS_TEMPLATE: Final = object_of(
    args=_ARGUMENTS, metrics=list_of(_METRIC), templates=_TEMPLATES, dryRun=ANY, measurementRetention=ANY
)

_KEY_OF: Final = object_of(("name",), name=TEXT, namespace=TEXT, key=TEXT, optional=FLAG)
_VALUES_FROM: Final = object_of(configMapKeyRef=_KEY_OF, secretKeyRef=_KEY_OF)
_HELM: Final = {
    "chart": object_of(
        name=TEXT, repository=TEXT, version=TEXT, url=TEXT, digest=TEXT,
        pullSecretRef=object_of(("name",), name=TEXT, namespace=TEXT),
    ),
    "namespace": TEXT, "values": map_of(ANY), "valuesFrom": list_of(_VALUES_FROM),
    "set": list_of(object_of(("name",), name=TEXT, value=TEXT, valueFrom=_VALUES_FROM)),
    "patchesFrom": list_of(_VALUES_FROM), "wait": FLAG, "waitTimeout": TEXT, "skipCreateNamespace": FLAG,
    "skipCRDs": FLAG, "insecureSkipTLSVerify": FLAG, "plainHTTP": FLAG,
}  # fmt: skip
_MANAGED: Final = {
    "connectionDetails": list_of(
        object_of(
            apiVersion=TEXT, kind=TEXT, name=TEXT, namespace=TEXT, fieldPath=TEXT, resourceVersion=TEXT,
            uid=TEXT, toConnectionSecretKey=TEXT, skipPartOfReleaseCheck=FLAG,
        )
    ),
    "managementPolicies": list_of(
        one_of("Observe", "Create", "Update", "Delete", "LateInitialize", "*")
    ),
    "rollbackLimit": NUMBER,
}  # fmt: skip
#: A Release of provider-helm in a namespace (Crossplane 2), and of the whole cluster.
HELM_RELEASE: Final = object_of(
    ("forProvider",),
    forProvider=object_of(("chart",), **_HELM),
    providerConfigRef=object_of(("kind", "name"), kind=TEXT, name=TEXT),
    writeConnectionSecretToRef=object_of(("name",), name=TEXT),
    **_MANAGED,
)
HELM_RELEASE_OF_A_CLUSTER: Final = object_of(
    ("forProvider",),
    forProvider=object_of(("chart", "namespace"), **_HELM),
    providerConfigRef=object_of(("name",), name=TEXT, policy=ANY),
    writeConnectionSecretToRef=object_of(("name", "namespace"), name=TEXT, namespace=TEXT),
    deletionPolicy=one_of("Orphan", "Delete"), providerRef=ANY, publishConnectionDetailsTo=ANY,
    **_MANAGED,
)  # fmt: skip

_SPECS: Final[Mapping[tuple[str, str], Type]] = {
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("litmuschaos.io/v1alpha1", "ChaosEngine"): CHAOS_ENGINE,
    ("argoproj.io/v1alpha1", "Rollout"): ROLLOUT,
    ("argoproj.io/v1alpha1", "AnalysisTemplate"): ANALYSIS_TEMPLATE,
    ("argoproj.io/v1alpha1", "ClusterAnalysisTemplate"): ANALYSIS_TEMPLATE,
    ("helm.m.crossplane.io/v1beta1", "Release"): HELM_RELEASE,
    ("helm.crossplane.io/v1beta1", "Release"): HELM_RELEASE_OF_A_CLUSTER,
    ("helm.crossplane.io/v1alpha1", "Release"): HELM_RELEASE_OF_A_CLUSTER,
}
#: The ChaosEngine's definition preserves what it does not know.
_OPEN: Final = frozenset({"ChaosEngine"})


def custom_refusals(document: Document) -> list[Refusal]:
    """Return what the API server refuses of an object; of a kind that is not known here, of its metadata."""
    found = []
    for key in ("apiVersion", "kind"):
        value = document.get(key)
        if value is None:
            found.append(Refusal("missing-field", Text("A field is missing: {field}", field=key), ()))
        elif not isinstance(value, str):
            found.append(wrong_type(value, TEXT, (key,)))
    kind = str(document.get("kind"))
    version = str(document.get("apiVersion"))
    spec = _SPECS.get((version, kind))
    if spec is None:
        group = version.partition("/")[0]
        served = [one for one, known in _SPECS if known == kind and one.partition("/")[0] == group]
        if served:
            message = Text(
                "{version} is served by nobody, {known} is", version=version, known=", ".join(served)
            )
            found.append(Refusal("version-not-served", message, ("apiVersion",)))
        return [*found, *metadata_refusals(document)]
    return [*found, *refusals(document, spec, strict=kind not in _OPEN)]
