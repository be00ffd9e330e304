"""Tekton Pipelines: the webhook that judges its objects and the controller that carries runs through."""

from __future__ import annotations

from workshop.sandbox.client import Document
from workshop.sandbox.model import Amendment, Component, Family, Part, Program
from workshop.sandbox.resolving import in_cluster, resolve
from workshop.sandbox.running import Running

VERSION = "v1.9.0"
_MODULE = "github.com/tektoncd/pipeline"
_KNATIVE = "knative.dev/pkg"
_LOOPBACK = "127.0.0.1:"
# A step without a command gets its image's entrypoint, asked of the registry. No image is ever fetched here,
# and nothing runs: any entrypoint does.
_NO_DIGEST = "0" * 64
_ANY_ENTRYPOINT = f"""return &imageData{{
		digest:   v1.Hash{{Algorithm: "sha256", Hex: "{_NO_DIGEST}"}},
		commands: map[string][]string{{"linux/amd64": {{"/entrypoint-of-the-image"}}}},
	}}, nil
	"""
FAMILY = Family(
    name="tekton",
    module=_MODULE,
    version=VERSION,
    programs=(
        # It has no option that makes it say who it is; without its namespace it says what it lacks.
        Program("tekton-pipelines-webhook", "cmd/webhook", (), '"SYSTEM_NAMESPACE" is not set'),
        Program("tekton-pipelines-controller", "cmd/controller", ("-h",), "-entrypoint-image"),
    ),
    files={"config": "config"},
    # These would listen to the whole network, and have no option not to.
    amendments=(
        Amendment(_KNATIVE, "webhook/webhook.go", 'fmt.Sprint(":", wh', f'fmt.Sprint("{_LOOPBACK}", wh'),
        Amendment(_KNATIVE, "injection/health_check.go", '":" + strconv', f'"{_LOOPBACK}" + strconv'),
        Amendment(_KNATIVE, "profiling/server.go", '":" + port', f'"{_LOOPBACK}" + port'),
        Amendment(_MODULE, "cmd/controller/main.go", 'ListenAndServe(":"+', f'ListenAndServe("{_LOOPBACK}"+'),
        Amendment(_MODULE, "cmd/webhook/main.go", 'ListenAndServe(":"+', f'ListenAndServe("{_LOOPBACK}"+'),
        Amendment(
            _MODULE,
            "pkg/pod/entrypoint_lookup_impl.go",
            "pullSecretsNames := make(",
            f"{_ANY_ENTRYPOINT}pullSecretsNames := make(",
        ),
    ),
)

_NAMESPACE = "tekton-pipelines"
_SERVICE = "tekton-pipelines-webhook"
_ACCOUNT = f"system:serviceaccount:{_NAMESPACE}"
_LEFT_OUT = ("Deployment", "Service", "HorizontalPodAutoscaler")
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
# Kinds of several versions, which the webhook converts.
_CONVERTED = ("tasks", "taskruns", "pipelines", "pipelineruns", "stepactions")
_CONFIGURATIONS = (
    "validatingwebhookconfigurations/validation.webhook.pipeline.tekton.dev",
    "validatingwebhookconfigurations/config.webhook.pipeline.tekton.dev",
    "mutatingwebhookconfigurations/webhook.pipeline.tekton.dev",
)


def _webhook_environment(running: Running) -> dict[str, str]:
    return _environment(running, "tekton-webhook") | {
        "CONFIG_LEADERELECTION_NAME": "config-leader-election-webhook",
        "WEBHOOK_PORT": str(running.ports["tekton-webhook"]),
        "WEBHOOK_ADMISSION_CONTROLLER_NAME": "webhook.pipeline.tekton.dev",
        "WEBHOOK_SERVICE_NAME": _SERVICE,
        "WEBHOOK_SECRET_NAME": "webhook-certs",
    }


def _controller_environment(running: Running) -> dict[str, str]:
    return _environment(running, "tekton-controller") | {
        "CONFIG_DEFAULTS_NAME": "config-defaults",
        "CONFIG_LEADERELECTION_NAME": "config-leader-election-controller",
        "CONFIG_SPIRE": "config-spire",
    }


def _environment(running: Running, component: str) -> dict[str, str]:
    return {
        "SYSTEM_NAMESPACE": _NAMESPACE,
        "KUBERNETES_MIN_VERSION": "v1.28.0",
        "CONFIG_LOGGING_NAME": "config-logging",
        "CONFIG_OBSERVABILITY_NAME": "config-observability",
        "CONFIG_FEATURE_FLAGS_NAME": "feature-flags",
        "METRICS_DOMAIN": "tekton.dev/pipeline",
        "METRICS_PROMETHEUS_HOST": "127.0.0.1",
        "METRICS_PROMETHEUS_PORT": str(running.ports[f"{component}-metrics"]),
        "PROFILING_PORT": str(running.ports[f"{component}-profiling"]),
        "PROBES_PORT": str(running.ports[f"{component}-probes"]),
    }


def _controller(running: Running) -> list[str]:
    # Images of Tekton's own steps; nobody fetches them, but a policy of the cluster may want them pinned.
    images = ("entrypoint", "nop", "sidecarlogresults", "workingdirinit", "shell", "shell-win")
    named = [f"-{one}-image={_MODULE}/{one}:{VERSION}" for one in images if one != "shell-win"]
    kubeconfig = running.kubeconfig(f"{_ACCOUNT}:tekton-pipelines-controller")
    # What limits a client towards a shared API server only slows this one.
    unlimited = ["-kube-api-qps=1000", "-kube-api-burst=2000"]
    return [
        f"-kubeconfig={kubeconfig}",
        "-disable-ha",
        *unlimited,
        *named,
        f"-shell-image-win={_MODULE}/shell:{VERSION}",
    ]


def _install(running: Running) -> None:
    documents = [
        one
        for one in running.documents(FAMILY, "config")
        if one["kind"] not in _LEFT_OUT and one["metadata"].get("namespace", _NAMESPACE) == _NAMESPACE
    ]
    service: Document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _SERVICE, "namespace": _NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    for path in _CONFIGURATIONS:  # of an installation that was cut short: nobody answers for them yet
        running.api.delete(f"{_WEBHOOKS}/{path}")
    running.api.apply_all([*documents, service])


def _adapt(running: Running) -> None:
    """Tell the API server at which port the webhook listens this time."""
    port = running.ports["tekton-webhook"]
    for path in _CONFIGURATIONS:
        found = running.api.get(f"{_WEBHOOKS}/{path}")
        if found is None or found["webhooks"][0]["clientConfig"]["service"].get("port") == port:
            continue
        found["webhooks"][0]["clientConfig"]["service"]["port"] = port
        running.api.request("PUT", f"{_WEBHOOKS}/{path}", found)
    for kind in _CONVERTED:
        path = f"{_DEFINITIONS}/{kind}.tekton.dev"
        definition = running.api.request("GET", path)
        if definition["spec"]["conversion"]["webhook"]["clientConfig"]["service"].get("port") != port:
            running.api.merge(
                path, {"spec": {"conversion": {"webhook": {"clientConfig": {"service": {"port": port}}}}}}
            )


# Two tasks of one name: refused by Tekton's webhook, and by nobody else.
_TASK = {"name": "twice", "taskRef": {"name": "probe"}}
_REFUSED: Document = {
    "apiVersion": "tekton.dev/v1",
    "kind": "Pipeline",
    "metadata": {"name": "sandbox-probe", "namespace": "default"},
    "spec": {"tasks": [_TASK, _TASK]},
}


# Tekton reads a task's results from the messages its steps end with. The names are among the arguments of the
# entrypoint, before "--"; the values are nobody's business here.
_COMPLETED = """
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
{{ $names := "" }}{{ $before := "" }}
{{ range .args }}
{{ if eq . "--" }}{{ break }}{{ end }}
{{ if eq $before "-results" }}{{ $names = . }}{{ end }}
{{ $before = . }}
{{ end }}
{{ $results := list }}
{{ range splitList "," $names }}
{{ if . }}{{ $results = append $results (dict "key" . "value" "sandbox" "type" 1) }}{{ end }}
{{ end }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  started: false
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
      message: {{ toJson $results | Quote }}
{{ end }}
"""
_STAGE: Document = {
    "apiVersion": "kwok.x-k8s.io/v1alpha1",
    "kind": "Stage",
    "metadata": {"name": "taskrun-pod-complete"},
    "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
        "selector": {
            "matchExpressions": [
                {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
                {"key": ".status.phase", "operator": "In", "values": ["Running"]},
                {"key": ".metadata.ownerReferences.[].kind", "operator": "In", "values": ["TaskRun"]},
            ]
        },
        "next": {"statusTemplate": _COMPLETED},
    },
}


PART = Part(
    name="tekton",
    families=(FAMILY,),
    needs=("controllers", "kwok"),
    components=(
        Component(
            name="tekton-webhook",
            program="tekton-pipelines-webhook",
            command=lambda running: [f"-kubeconfig={running.kubeconfig(f'{_ACCOUNT}:{_SERVICE}')}"],
            environment=_webhook_environment,
            ready=lambda running: running.api.refuses(_REFUSED, by=_CONFIGURATIONS[0].rpartition("/")[2]),
            after=("kube-apiserver",),
            user=f"{_ACCOUNT}:{_SERVICE}",
            ports=(
                "tekton-webhook",
                "tekton-webhook-metrics",
                "tekton-webhook-profiling",
                "tekton-webhook-probes",
            ),
        ),
        Component(
            name="tekton-controller",
            program="tekton-pipelines-controller",
            command=_controller,
            environment=_controller_environment,
            ready=lambda running: running.listens("tekton-controller-probes"),
            after=("kube-apiserver",),
            user=f"{_ACCOUNT}:tekton-pipelines-controller",
            ports=(
                "tekton-controller-metrics",
                "tekton-controller-profiling",
                "tekton-controller-probes",
            ),
        ),
    ),
    install=_install,
    adapt=_adapt,
    # Its resolvers would fetch from the network.
    tend=lambda running: resolve(running.api, lambda: in_cluster(running.api)),
    stale=(f"leases/{_NAMESPACE}/",),
    owned=(
        *_CONFIGURATIONS,
        *(f"apiextensions.k8s.io/customresourcedefinitions/{kind}.tekton.dev" for kind in _CONVERTED),
    ),
    stages=(_STAGE,),
    megabytes=180,
)
