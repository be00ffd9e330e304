"""What a Task that builds really does: from which folder, to which registry, and with which daemon."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from posixpath import normpath

from workshop.checking import Text
from workshop.tekton import Flags, Path, Program, Ran, Task, mistaken, read_flags, shown, tokens

from ._tekton import IMAGE, Finding, condition_of, judge_image, place, runs_on, softened

_SWITCHES = frozenset(
    {
        "cache", "cache-copy-layers", "cache-run-layers", "cleanup", "compressed-caching", "force",
        "insecure",
        "insecure-pull", "no-push", "no-push-cache", "preserve-context", "reproducible", "single-snapshot",
        "skip-default-registry-fallback", "skip-push-permission-check", "skip-tls-verify",
        "skip-tls-verify-pull",
        "skip-unused-stages", "use-new-run", "version", "help", "force-build-metadata", "log-timestamp",
        "push-ignore-immutable-tag-errors", "ignore-var-run", "run-v2", "materialize",
    }
)  # fmt: skip
_SHORT = {"c": "context", "d": "destination", "f": "dockerfile", "v": "verbosity", "h": "help"}
# Builders without a daemon that do what kaniko does.
EQUIVALENTS = frozenset(
    {
        "buildah",
        "podman",
        "buildctl",
        "buildctl-daemonless.sh",
        "ko",
        "jib",
        "img",
        "makisu",
        "pack",
        "creator",
    }
)
_DAEMONS = frozenset({"docker", "nerdctl", "docker-compose"})


def is_kaniko(program: Program, ran: Ran) -> bool:
    """Whether a command is kaniko's executor."""
    name = ran.argv[0].rpartition("/")[2]
    return (
        name in ("executor", "kaniko")
        or ran.argv[0] == "/kaniko/executor"
        or (name == "kaniko-executor" and "kaniko" in program.image)
    )


@dataclass(frozen=True)
class Build:
    """One run of kaniko in a step."""

    task: Task
    program: Program
    ran: Ran

    @cached_property
    def flags(self) -> Flags:
        """Its flags."""
        return read_flags(self.ran.argv[1:], switches=_SWITCHES, short=_SHORT)

    def _at(self, *words: str) -> Path:
        return place(self.program.step, *words)

    def findings(self) -> list[Finding]:
        """Return everything there is to say about it."""
        skipped = condition_of(self.program, "push", Text("The image is pushed"))
        told = softened([*self._push(), *self._sources(), *skipped], self.ran)
        return [*told, *self._credentials(), *self._digest()]

    def _push(self) -> list[Finding]:
        claim = Text("The image is pushed")
        value = self.flags.last("no-push")
        off = None if value is not None and tokens(value) else bool(self.flags.is_on("no-push"))
        advice = Text("Drop --no-push: an image that stays in the Pod is gone with it.")
        found = [
            Finding(
                "push", "pushes" if off is False else "no-push", claim, None if off is None else not off,
                self._at("no-push"),
                Text("kaniko without --no-push"), f"--no-push={shown(value or 'true')}", advice,
            )
        ]  # fmt: skip
        wanted = self.flags.values.get("destination", [])
        claim = Text("It is pushed under the name that the parameter gives")
        return [
            *found,
            judge_image("push", wanted, self._at("--destination", "-d"), claim, "destination-missing"),
        ]

    def _sources(self) -> list[Finding]:
        claim = Text("The sources come from the workspace")
        context = self.flags.last("context")
        path = context or self.program.start or "/workspace/"
        right = self._in_workspace(path.removeprefix("dir://"))
        observed = Text("--context {path}", path=shown(context)) if context else Text("no --context")
        found = [
            Finding(
                "sources", "context" if right else "context-not-in-workspace", claim, right,
                self._at("--context", "-c"),
                "--context=$(workspaces.source.path)", observed,
                Text("kaniko builds the folder that --context names: let it be the workspace."),
            )
        ]  # fmt: skip
        dockerfile = self.flags.last("dockerfile")
        if dockerfile is not None and dockerfile.startswith(("/", "\ue000workspaces")):
            right = self._in_workspace(dockerfile)
            found.append(
                Finding(
                    "sources", "dockerfile" if right else "dockerfile-not-in-workspace",
                    Text("The Dockerfile comes from the workspace"), right, self._at("--dockerfile", "-f"),
                    "--dockerfile=$(workspaces.source.path)/Dockerfile", shown(dockerfile),
                    Text("Name a file below the workspace, or one relative to the context."),
                )
            )  # fmt: skip
        return found

    def _in_workspace(self, path: str) -> bool | None:
        if not path.startswith(("/", "\ue000")) and "://" not in path:
            path = self.program.folder(self.ran)
        inside = [key for key in tokens(path) if key.startswith("workspaces.") and key.endswith(".path")]
        if inside:
            # Letters that follow at once name another folder beside it.
            return runs_on(shown(path), f"$({inside[0]})") is None
        if path.startswith("/"):
            clean = normpath(path)
            return any(clean == folder or clean.startswith(f"{folder}/") for folder in self.task.folders())
        if mistaken(path) or any(key.startswith("!") for key in tokens(path)):
            return False
        # A parameter without a default, a variable of the image: the run decides.
        return None if tokens(path) else False

    def _credentials(self) -> list[Finding]:
        step = self.program.step
        variable = self.ran.variables.get("DOCKER_CONFIG", "") != "" and "DOCKER_CONFIG" in self.ran.variables
        mounts = [
            mount.text("mountPath")
            for view in (step.view, step.template)
            for mount in view.items("volumeMounts")
        ]
        mounts += [each.text("mountPath") for each in step.view.items("workspaces")]
        mounts += list(self.task.folders())
        mounted = any(path.rstrip("/").endswith((".docker", ".docker/config.json")) for path in mounts)
        return [
            Finding(
                "credentials", "no-registry-credentials", Text("kaniko finds the registry's credentials"),
                variable or mounted, (*step.view.path,),
                Text("DOCKER_CONFIG set, or a Secret mounted at /kaniko/.docker"),
                Text("neither DOCKER_CONFIG nor a mount"),
                Text("Tekton puts a ServiceAccount's credentials into $HOME/.docker, kaniko reads "
                    "/kaniko/.docker."),
            )
        ]  # fmt: skip

    def _digest(self) -> list[Finding]:
        kept = any(
            "results." in key for value in self.flags.values.get("digest-file", []) for key in tokens(value)
        )
        return [
            Finding(
                "remark", "no-digest-result", Text("The digest of the pushed image is a result of the Task"),
                kept,
                self.program.step.view.path, "--digest-file=$(results.IMAGE_DIGEST.path)",
                Text("no such result"),
                Text("A tag can move between build, scan and signature; a digest handed on cannot."),
            )
        ]  # fmt: skip


def builds(task: Task) -> list[Build]:
    """Return every run of kaniko in a Task."""
    programs = [Program(step, task.values()) for step in task.steps]
    return [
        Build(task, program, ran)
        for program in programs
        for ran in program.commands
        if is_kaniko(program, ran)
    ]


def best_build(task: Task) -> list[Finding]:
    """Return the findings of the run of kaniko that comes nearest to what is asked; empty without one."""
    judged = [build.findings() for build in builds(task)]
    deciding = ("push", "sources")
    return min(
        judged,
        key=lambda found: sum(each.met is not True for each in found if each.topic in deciding),
        default=[],
    )


def equivalents(task: Task) -> list[tuple[Program, Ran]]:
    """Return the commands of other builders that need no daemon."""
    programs = [Program(step, task.values()) for step in task.steps]
    return [
        (program, ran)
        for program in programs
        for ran in program.commands
        if ran.argv[0].rpartition("/")[2] in EQUIVALENTS
    ]


def judge_equivalents(task: Task) -> list[Finding]:
    """Return whether another builder pushes the image of the parameter from the workspace."""
    found = equivalents(task)
    words = [word for _, ran in found for word in ran.argv[1:]]
    pushed = [
        word
        for _, ran in found
        for word in ran.argv[1:]
        if "push" in ran.argv[1:]
        or ran.argv[0].rpartition("/")[2] in ("ko", "jib", "pack", "creator")
        or "push=true" in word
        or "--push" in ran.argv
    ]
    step = found[0][0].step
    claim = Text("It is pushed under the name that the parameter gives")
    names = [word for word in pushed if IMAGE in tokens(word) or "/" in word or mistaken(word)]
    variables = [value or "" for _, ran in found for value in ran.variables.values()]
    target = [*names, *(value for value in variables if pushed and IMAGE in tokens(value))]
    from_workspace = any(
        "workspaces." in key for word in [*words, *variables] for key in tokens(word)
    ) or any(
        "workspaces." in text or any(folder in text for folder in task.folders())
        for program, _ in found
        for text, _ in program.step.texts
    )
    return [
        Finding(
            "push", "pushes" if pushed else "no-push", Text("The image is pushed"), bool(pushed),
            place(step, "push"),
            Text("a push"), " ".join(shown(word) for word in found[0][1].argv)[:200],
            Text("Building alone leaves the image in the Pod: push it."),
        ),
        judge_image(
            "push", target, place(step, "push", "IMAGE"), claim, "destination-missing", schemes=True
        ),
        Finding(
            "sources", "context" if from_workspace else "context-not-in-workspace",
            Text("The sources come from the workspace"), from_workspace, place(step, "bud", "build"),
            "$(workspaces.source.path)", Text("the workspace is not mentioned"),
            Text("Build the folder that the workspace is mounted at."),
        ),
        Finding(
            "remark", "other-builder", Text("The image is built by kaniko, as the statement says"), False,
            step.view.path, "kaniko", found[0][1].argv[0],
            Text("Another builder without a daemon is fine; say why you chose it."),
        ),
    ]  # fmt: skip


def daemon_uses(task: Task) -> list[tuple[Path, str]]:
    """Return where a Task wants a daemon: its commands, a socket of the node, a sidecar that is one."""
    found: list[tuple[Path, str]] = []
    for step in task.steps:
        program = Program(step, task.values())
        found.extend(
            ((*step.view.path, "image"), " ".join(shown(word) for word in ran.argv)[:80])
            for ran in program.commands
            if ran.argv[0].rpartition("/")[2] in _DAEMONS
        )
    for volume in task.view.items("volumes"):
        path = volume.text("hostPath", "path")
        if path.rstrip("/").endswith((".sock", "/var/run", "/run")):
            found.append(((*volume.path, "hostPath"), path))
    found += [
        ((*sidecar.path, "image"), sidecar.text("image"))
        for sidecar in task.view.items("sidecars")
        if "dind" in sidecar.text("image")
    ]
    return found
