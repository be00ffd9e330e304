"""Tekton without a cluster: what its objects mean, what its steps run, what an API server would refuse."""

from workshop.manifests import Refusal
from workshop.tekton.commands import Program
from workshop.tekton.declared import Parameter, Workspace
from workshop.tekton.fitting import Misfit, result_misfits, run_misfits, task_misfits
from workshop.tekton.flags import Flags, read_flags
from workshop.tekton.graph import Graph, results_used
from workshop.tekton.images import Image, parse_image, version_of
from workshop.tekton.pipeline import PipelineRun, PipelineSpec, PipelineTask
from workshop.tekton.refusals import refusals
from workshop.tekton.shell import Beyond, Ran
from workshop.tekton.task import Step, Task
from workshop.tekton.variables import fill, mistaken, references, shown, token, tokens
from workshop.tekton.view import Path, View

__all__ = [
    "Beyond", "Flags", "Graph", "Image", "Misfit", "Parameter", "Path", "PipelineRun", "PipelineSpec",
    "PipelineTask", "Program", "Ran", "Refusal", "Step", "Task", "View", "Workspace", "fill", "mistaken",
    "parse_image", "read_flags", "references", "refusals", "result_misfits", "results_used", "run_misfits",
    "shown", "task_misfits", "token", "tokens", "version_of",
]  # fmt: skip
