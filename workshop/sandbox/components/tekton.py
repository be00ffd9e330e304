"""Tekton Pipelines: the webhook that judges its objects and the controller that carries runs through."""

from __future__ import annotations

from workshop.sandbox.model import Family, Part, Program

VERSION = "v1.9.0"
_MODULE = "github.com/tektoncd/pipeline"
_LOOPBACK = "127.0.0.1:"
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
    loopback=(
        ("knative.dev/pkg", "webhook/webhook.go", 'fmt.Sprint(":", wh', f'fmt.Sprint("{_LOOPBACK}", wh'),
        ("knative.dev/pkg", "injection/health_check.go", '":" + strconv', f'"{_LOOPBACK}" + strconv'),
        ("knative.dev/pkg", "profiling/server.go", '":" + port', f'"{_LOOPBACK}" + port'),
        (_MODULE, "cmd/controller/main.go", 'ListenAndServe(":"+', f'ListenAndServe("{_LOOPBACK}"+'),
        (_MODULE, "cmd/webhook/main.go", 'ListenAndServe(":"+', f'ListenAndServe("{_LOOPBACK}"+'),
    ),
)

PART = Part(name="tekton", families=(FAMILY,), needs=("controllers", "kwok"))
