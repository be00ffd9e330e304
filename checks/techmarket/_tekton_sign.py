"""What a Task's Cosign really does: what it signs, as whom, and whether it would wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from workshop.checking import Text
from workshop.tekton import (
    Flags,
    Path,
    Program,
    Ran,
    Task,
    parse_image,
    read_flags,
    shown,
    token,
    tokens,
    version_of,
)

from ._tekton import IMAGE, Finding, condition_of, failure_noticed, judge_image, place, softened

_SWITCHES = frozenset(
    {
        "yes", "recursive", "verbose", "upload", "tlog-upload", "allow-http-registry",
        "allow-insecure-registry",
        "k8s-keychain", "insecure-skip-verify", "issue-certificate", "new-bundle-format",
        "use-signing-config",
        "record-creation-timestamp", "fulcio-auth-flow-device", "oidc-disable-ambient-providers", "sk",
        "force",
        "registry-referrers-mode-legacy", "help",
    }
)  # fmt: skip
_WITH_VALUE = frozenset({"key", "output", "payload", "attachment", "identity-token"})
_SHORT = {
    "y": "yes",
    "a": "annotations",
    "r": "recursive",
    "d": "verbose",
    "t": "timeout",
    "h": "help",
    "f": "force",
}


@dataclass(frozen=True)
class Signing:
    """One run of Cosign in a step."""

    program: Program
    ran: Ran

    @cached_property
    def flags(self) -> Flags:
        """Its flags and words."""
        return read_flags(self.ran.argv[1:], switches=_SWITCHES, short=_SHORT)

    @property
    def subcommand(self) -> str:
        """What Cosign is told to do."""
        return self.flags.words[0] if self.flags.words else ""

    @property
    def signs_digest(self) -> bool:
        """Whether what is signed is named by its digest in the Task itself."""
        return any("@" in word for word in self.flags.words[1:])

    def option(self, name: str) -> str | None:
        """Return a flag's value, or that of the variable Cosign reads in its place."""
        given = self.flags.last(name)
        variable = f"COSIGN_{name.upper()}"
        if given is not None or variable not in self.ran.variables:
            return given
        value = self.ran.variables[variable]
        return token(f"${variable}") if value is None else value or None

    def _at(self, *words: str) -> Path:
        return place(self.program.step, *words)

    def findings(self) -> list[Finding]:
        """Return everything there is to say about it."""
        claim = Text("Cosign signs the image")
        right = self.subcommand == "sign"
        found = [
            Finding(
                "signs", "subcommand" if right else "wrong-subcommand", claim, right,
                self._at(self.subcommand or "cosign"),
                "cosign sign", Text("cosign {word}", word=shown(self.subcommand) or "–"),
                Text("Verifying and attesting are other things; a signature is made by `sign`."),
            )
        ]  # fmt: skip
        if right:
            at = self._at("IMAGE", *self.flags.words[1:2])
            words = self.flags.words[1:] or self.flags.strays(IMAGE, but=_WITH_VALUE)
            found.append(judge_image("signs", words, at, claim, "image-missing"))
        found += condition_of(self.program, "signs", claim)
        found += [*self._upload(), *self._keyless(), *self._silent(), *self._stops(), *self._remarks()]
        return softened(found, self.ran)

    def _upload(self) -> list[Finding]:
        off = self.flags.is_on("upload") is False
        return [
            Finding(
                "signs", "not-uploaded" if off else "uploads", Text("The signature reaches the registry"),
                not off,
                self._at("upload"), Text("cosign sign without --upload=false"), "--upload=false",
                Text("A signature nobody can fetch proves nothing: let Cosign upload it."),
            )
        ]  # fmt: skip

    def _keyless(self) -> list[Finding]:
        key = self.option("key")
        hardware = bool(self.flags.is_on("sk"))
        used = key is not None or hardware
        return [
            Finding(
                "keyless", "key-instead-of-keyless" if used else "keyless",
                Text("Cosign signs without a key"), not used,
                self._at("--key", "--sk"), Text("cosign sign without --key"),
                "--sk" if hardware else f"--key {shown(key or '')}",
                Text("Keyless is asked: the identity replaces the key. Drop --key, then sign in when the "
                    "log asks you to."),
            )
        ]  # fmt: skip

    def _silent(self) -> list[Finding]:
        answer = self.option("yes")
        answered = self.flags.is_on("force") if answer is None else answer.lower() in ("true", "1", "t")
        outside = bool(tokens(answer)) if answer is not None else self.program.step.reads_elsewhere
        if outside and not answered:
            claim, observed = (
                Text("Cosign does not wait for an answer"),
                Text("COSIGN_YES comes from elsewhere"),
            )
            return [Finding("silent", "yes-unclear", claim, None, self._at("sign"), "--yes", observed)]
        return [
            Finding(
                "silent", "yes" if answered else "would-prompt", Text("Cosign does not wait for an answer"),
                bool(answered), self._at("--yes", "sign"), "--yes", Text("no --yes"),
                Text("Nobody sits in front of a Pod: answer the question about the public log beforehand."),
            )
        ]  # fmt: skip

    def _stops(self) -> list[Finding]:
        noticed = failure_noticed(self.program, self.ran)
        return [
            Finding(
                "stops", "fails" if noticed else "signing-cannot-fail",
                Text("A failed signature fails the Task"), noticed, self._at("||", "cosign", "sign"),
                Text("neither onError: continue nor || true"), Text("the step ends with 0 all the same"),
                Text("A pipeline that succeeds without a signature hides that it is missing."),
            )
        ]  # fmt: skip

    def _remarks(self) -> list[Finding]:
        found: list[Finding] = []
        variables = self.ran.variables
        if "COSIGN_EXPERIMENTAL" in variables:
            found.append(
                Finding(
                    "remark", "obsolete-experimental", Text("Nothing is set that Cosign no longer reads"),
                    False,
                    self._at("COSIGN_EXPERIMENTAL"), observed="COSIGN_EXPERIMENTAL",
                    next=Text("Keyless is the default since Cosign 2: the variable can go."),
                )
            )  # fmt: skip
        version = version_of(parse_image(self.program.image))
        bundle = self.flags.is_on("new-bundle-format")
        if version is not None and version[0] >= 3 and bundle is not False:
            found.append(
                Finding(
                    "remark", "bundle-signature", Text("Exercise 2.6 can read the signature"), False,
                    (*self.program.step.view.path, "image"),
                    Text("Cosign 2.6, or 3 with --new-bundle-format=false"),
                    Text("Cosign {version}", version=".".join(map(str, version))),
                    Text("Cosign 3 writes a bundle, which Kyverno's ClusterPolicy does not find on GHCR."),
                )
            )  # fmt: skip
        token = self.flags.last("identity-token") or variables.get("SIGSTORE_ID_TOKEN") or ""
        if token.startswith("eyJ"):
            found.append(
                Finding(
                    "secret", "token-in-clear", Text("No token is written into the file"), False,
                    self._at("identity-token", "SIGSTORE_ID_TOKEN"), Text("a Secret"),
                    Text("a token in clear"),
                    Text("Put it into a Secret and read it with valueFrom.secretKeyRef."),
                )
            )  # fmt: skip
        return found


def signings(task: Task) -> list[Signing]:
    """Return every run of Cosign in a Task."""
    programs = [Program(step, task.values()) for step in task.steps]
    return [
        Signing(program, ran)
        for program in programs
        for ran in program.commands
        if ran.argv[0].rpartition("/")[2].startswith("cosign") and not tokens(ran.argv[0])
    ]


def best_signing(task: Task) -> list[Finding]:
    """Return the findings of the run of Cosign that comes nearest to what is asked; empty without one."""
    judged = [signing.findings() for signing in signings(task)]
    return min(
        judged,
        key=lambda found: sum(each.met is not True for each in found if each.topic != "remark"),
        default=[],
    )
