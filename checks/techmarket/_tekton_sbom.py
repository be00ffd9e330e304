"""What a Task's Syft really does: of what it takes stock, in which format, and where the list ends up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from posixpath import normpath

from workshop.checking import Text
from workshop.tekton import Flags, Path, Program, Ran, Task, read_flags, shown, token, tokens

from ._tekton import (
    IMAGE,
    Finding,
    condition_of,
    failure_noticed,
    judge_image,
    one_target,
    place,
    softened,
)

_SWITCHES = frozenset({"quiet", "verbose", "help", "version", "all-layers"})
_WITH_VALUE = frozenset({"output", "file", "config", "template", "source-name", "base-path"})
_SHORT = {
    "o": "output", "q": "quiet", "v": "verbose", "c": "config", "s": "scope", "t": "template", "h": "help",
}  # fmt: skip
_COMMANDS = frozenset({"scan", "packages"})
_SOURCES = ("registry:", "docker:", "podman:", "containerd:", "oci-dir:", "docker-archive:", "oci-archive:")
STANDARD = frozenset(
    {"spdx", "spdx-json", "spdx-tag-value", "spdx-tv", "cyclonedx", "cyclonedx-json", "cyclonedx-xml"}
)
_COPIERS = frozenset({"cp", "mv", "install", "rsync"})
_UPLOADERS = frozenset({"cosign", "oras", "crane", "regctl", "curl", "cat", "aws", "gsutil", "mc", "tee"})


@dataclass(frozen=True)
class Stocktaking:
    """One run of Syft in a step."""

    task: Task
    program: Program
    ran: Ran

    @cached_property
    def flags(self) -> Flags:
        """Its flags and words."""
        return read_flags(self.ran.argv[1:], switches=_SWITCHES, short=_SHORT)

    @cached_property
    def outputs(self) -> list[tuple[str, str]]:
        """The formats, each with the file it is written to; empty for standard output."""
        given = self.flags.values.get("output")
        if given is None:
            outside = None if self.program.step.reads_elsewhere else ""
            value = self.ran.variables.get("SYFT_OUTPUT", outside)
            given = [token("$SYFT_OUTPUT")] if value is None else [value] if value else []
        found = []
        for text in (part for each in given for part in each.split(",")):
            form, _, file = text.partition("=")
            found.append((form.partition("@")[0].strip(), file))
        legacy = self.flags.last("file")
        return [(form, file or legacy or "") for form, file in found] or [("", legacy or "")]

    def _at(self, *words: str) -> Path:
        return place(self.program.step, *words)

    def findings(self) -> list[Finding]:
        """Return everything there is to say about it."""
        words = self.flags.words
        if words[:1] and words[0] in _COMMANDS:
            words = words[1:]
        elif words[:1] and words[0] in ("attest", "convert", "login", "version", "cataloger"):
            words = words[1:] if words[0] == "attest" else []
        words = words or self.flags.strays(IMAGE, but=_WITH_VALUE)
        claim = Text("Syft takes stock of the image")
        targets = [word for word in words if not word.startswith("dir:")]
        local = [word for word in words if word.startswith(("dir:", "file:"))]
        at = self._at("IMAGE", *words[:1])
        found = [judge_image("target", targets or local, at, claim, "image-missing", schemes=True)]
        found += one_target(words, at, claim)
        found += condition_of(self.program, "target", claim)
        found = [*found, *self._format(), *self._kept(), *self._stops(), *self._remarks()]
        return softened(found, self.ran)

    def _format(self) -> list[Finding]:
        claim = Text("The list is an SBOM in a standard format")
        forms = [form for form, _ in self.outputs if form]
        at = self._at("output", "-o", "SYFT_OUTPUT")
        expected = "spdx-json, cyclonedx-json"
        if any(tokens(form) for form in forms):
            return [Finding("format", "format-unclear", claim, None, at, expected, shown(", ".join(forms)))]
        if "attest" in self.ran.argv[1:2]:
            return [Finding("format", "format", claim, True, at)]
        right = any(form in STANDARD for form in forms)
        own = "syft-json" in forms
        advice = Text(
            "SPDX and CycloneDX are the formats other tools read; Syft's own and its table are not."
        )
        if right or own:
            found = [Finding("format", "format", claim, True, at)]
            if not right:
                remark = Text("The SBOM is in a format other tools read")
                found.append(
                    Finding("remark", "own-format", remark, False, at, expected, "syft-json", advice)
                )
            return found
        observed = Text("format: {format}", format=", ".join(forms) or Text("a table, the default"))
        return [Finding("format", "not-a-standard-format", claim, False, at, expected, observed, advice)]

    def _kept(self) -> list[Finding]:
        claim = Text("The SBOM outlives the Pod")
        at = self._at("file", "output", "-o", ">")
        expected = Text("a file in a declared workspace, an attestation, or at least the log")
        lists = [(form, file) for form, file in self.outputs if form in STANDARD or form == "syft-json"]
        places = [
            file or each
            for _, file in lists or self.outputs
            for each in ((file,) if file else self._printed())
        ]
        closed = [
            name
            for name, workspace in self.task.workspaces.items()
            if workspace.view.get("readOnly") is True
            and any(self._below(each, name, workspace.path) for each in places)
        ]
        if closed:
            return [
                Finding(
                    "kept", "workspace-read-only", claim, False, at, expected,
                    Text("the workspace {name} is declared readOnly", name=closed[0]),
                    Text("Nothing can be written there: drop readOnly."),
                )
            ]  # fmt: skip
        kept = [place_ for place_ in places if self._survives(place_)]
        if kept or self._handed_on(places):
            return [Finding("kept", "kept", claim, True, at)]
        if any(key.startswith("$") for each in places for key in tokens(each)):
            return [Finding("kept", "place-unclear", claim, None, at, expected, shown(", ".join(places)))]
        return [
            Finding(
                "kept", "sbom-lost", claim, False, at, expected,
                Text("it is written to {file}", file=shown(", ".join(places))),
                Text("/workspace itself belongs to the Pod and goes with it: declare a workspace and use "
                    "its path."),
            )
        ]  # fmt: skip

    def _printed(self) -> tuple[str, ...]:
        """Return where standard output goes; through a pipe, to the files `tee` writes and to the log."""
        if self.ran.outputs != ("|",):
            return tuple(each for each in self.ran.outputs) or ("",)
        files = [
            word
            for ran in self.program.commands
            if ran.argv[0].rpartition("/")[2] == "tee"
            for word in ran.argv[1:]
            if not word.startswith("-")
        ]
        return (*files, "")

    def _survives(self, file: str) -> bool:
        if file in ("", "-", "/dev/stdout", "/dev/stderr"):
            return True
        if not file.startswith("/") and not tokens(file):
            file = f"{self.program.folder(self.ran)}/{file}"
        if any(key.startswith(("workspaces.", "results.")) and key.endswith(".path") for key in tokens(file)):
            return True
        clean = normpath(file)
        folders = [*self.task.folders(), *self.program.step.lasting_folders(self.task)]
        return any(clean.startswith(f"{folder}/") for folder in folders)

    def _below(self, file: str, workspace: str, folder: str) -> bool:
        """Whether a file lies in a workspace, named by its variable or by its path."""
        return f"workspaces.{workspace}.path" in tokens(file) or normpath(file).startswith(f"{folder}/")

    def _handed_on(self, files: list[str]) -> bool:
        """Whether a later command reads the file: attaches it, uploads it, prints it, copies it."""
        programs = [Program(step, self.task.values()) for step in self.task.steps]
        return any(
            file in word
            for program in programs
            for ran in program.commands
            if self._saves(ran)
            for word in ran.argv[1:]
            for file in files
            if file and (program.step is self.program.step or self._shared(file))
        )

    def _shared(self, file: str) -> bool:
        """Whether another step of the Task sees the file: each container has its own /tmp and /root."""
        if not file.startswith("/") or tokens(file):
            return True
        step = self.program.step
        mounts = [
            each.text("mountPath")
            for view in (step.view, step.template)
            for each in view.items("volumeMounts")
        ]
        folders = ["/workspace", "/tekton", *self.task.folders(), *mounts]
        return any(normpath(file).startswith(f"{folder.rstrip('/')}/") for folder in folders if folder)

    def _saves(self, ran: Ran) -> bool:
        name = ran.argv[0].rpartition("/")[2]
        if name == "syft" and ran.argv[1:2] == ("convert",):
            written = Stocktaking(self.task, self.program, ran).outputs
            return any(form in STANDARD and self._survives(file) for form, file in written)
        return name in _UPLOADERS or (name in _COPIERS and self._survives(f"{ran.argv[-1]}/"))

    def _stops(self) -> list[Finding]:
        noticed = failure_noticed(self.program, self.ran)
        return [
            Finding(
                "stops", "fails" if noticed else "sbom-cannot-fail", Text("A missing SBOM fails the Task"),
                noticed, self._at("||", "syft", "scan"),
                Text("neither onError: continue nor || true"), Text("the step ends with 0 all the same"),
                Text("A pipeline that succeeds without an SBOM hides that it is missing."),
            )
        ]  # fmt: skip

    def _remarks(self) -> list[Finding]:
        if self.flags.last("file") is None:
            return []
        return [
            Finding(
                "remark", "deprecated-file", Text("The file is named the way Syft wants it today"), False,
                self._at("--file"), "-o spdx-json=PATH", "--file",
                Text("--file still works and is deprecated: name the file behind the format."),
            )
        ]  # fmt: skip


def stocktakings(task: Task) -> list[Stocktaking]:
    """Return every run of Syft in a Task."""
    programs = [Program(step, task.values()) for step in task.steps]
    return [
        Stocktaking(task, program, ran)
        for program in programs
        for ran in program.commands
        if ran.argv[0].rpartition("/")[2] == "syft" and not {"version", "login"} & set(ran.argv[1:2])
    ]


def best_stocktaking(task: Task) -> list[Finding]:
    """Return the findings of the run of Syft that comes nearest to what is asked; empty without one."""
    judged = [each.findings() for each in stocktakings(task)]
    return min(
        judged,
        key=lambda found: sum(each.met is not True for each in found if each.topic != "remark"),
        default=[],
    )
