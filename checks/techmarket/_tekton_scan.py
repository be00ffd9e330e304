"""What a Task's Trivy really does: what it looks at, for what, and whether a finding stops the Task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from workshop.checking import Text
from workshop.tekton import Beyond, Flags, Path, Program, Ran, Task, read_flags, shown, tokens

from ._tekton import IMAGE, Finding, condition_of, judge_image, one_target, place, softened

_SWITCHES = frozenset(
    {
        "debug", "quiet", "insecure", "generate-default-config", "ignore-unfixed", "no-progress",
        "list-all-pkgs",
        "dependency-tree", "removed-pkgs", "skip-db-update", "skip-java-db-update", "skip-check-update",
        "skip-policy-update", "download-db-only", "download-java-db-only", "offline-scan", "light",
        "clear-cache",
        "reset", "show-suppressed", "include-dev-deps", "include-non-failures", "license-full", "no-summary",
        "disable-telemetry", "skip-version-check", "detection-priority-precise", "help", "version",
        "redis-tls",
    }
)  # fmt: skip
_SHORT = {
    "q": "quiet", "d": "debug", "c": "config", "s": "severity", "f": "format", "o": "output", "t": "template",
    "h": "help", "v": "version",
}  # fmt: skip
_IMAGE = frozenset({"image", "i"})
_WITH_VALUE = frozenset(
    {"input", "output", "cache-dir", "config", "severity", "format", "template", "ignorefile"}
)
SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
# Formats that take stock instead of judging, unless the vulnerability scanner is asked for.
_STOCKTAKING = frozenset({"cyclonedx", "spdx", "spdx-json", "github"})


def is_trivy(word: str) -> bool:
    """Whether a command's first word is Trivy."""
    return word.rpartition("/")[2] == "trivy"


@dataclass(frozen=True)
class Scan:
    """One run of Trivy in a step."""

    program: Program
    ran: Ran
    task: Task

    @cached_property
    def flags(self) -> Flags:
        """Its flags and words."""
        return read_flags(self.ran.argv[1:], switches=_SWITCHES, short=_SHORT)

    @property
    def subcommand(self) -> str:
        """What it is told to look at."""
        return self.flags.words[0] if self.flags.words else ""

    def option(self, name: str) -> str | None:
        """Return an option's value, from its flag or from its environment variable."""
        given = self.flags.last(name)
        variable = "TRIVY_" + name.upper().replace("-", "_")
        if given is not None or variable not in self.ran.variables:
            return given
        value = self.ran.variables[variable]
        return f"\ue000${variable}\ue001" if value is None else value

    def _at(self, *words: str) -> Path:
        return place(self.program.step, *words)

    def findings(self) -> list[Finding]:
        """Return everything there is to say about it."""
        skipped = condition_of(self.program, "stops", Text("A scan that fails stops the Task"))
        told = [*skipped, *self._target(), *self._exit_code(), *self._severity(), *self._scanners()]
        return [*softened(told, self.ran), *self._propagation()]

    def _target(self) -> list[Finding]:
        claim = Text("Trivy scans the image")
        right = self.subcommand in _IMAGE
        found = [
            Finding(
                "target", "uses-subcommand" if right else "wrong-subcommand", claim, right,
                self._at(self.subcommand or "trivy"),
                "trivy image", Text("trivy {word}", word=shown(self.subcommand) or "–"),
                Text("`fs` and `config` look at files; what was pushed is looked at by `image`."),
            )
        ]  # fmt: skip
        words = self.flags.words[1:] or self.flags.strays(IMAGE, but=_WITH_VALUE)
        if right:
            found.append(judge_image("target", words, self._at("IMAGE", *words[:1]), claim, "image-missing"))
            found += one_target(words, self._at(*words[1:2]), claim)
        return found

    def _exit_code(self) -> list[Finding]:
        claim = Text("Trivy fails when it finds something")
        value = self.option("exit-code")
        at = self._at("exit-code", "TRIVY_EXIT_CODE")
        expected = Text("--exit-code 1 (1 to 255)")
        advice = Text("Without it Trivy reports what it finds and ends with 0, which is success.")
        if value is None and self.option("config") is not None:
            observed = Text(
                "--exit-code may stand in the configuration file {file}",
                file=shown(self.option("config") or ""),
            )
            return [Finding("gate", "exit-code-unclear", claim, None, at, expected, observed)]
        if value is None and self.program.step.reads_elsewhere:
            observed = Text("no --exit-code, but TRIVY_EXIT_CODE may come from elsewhere")
            return [Finding("gate", "exit-code-unclear", claim, None, at, expected, observed)]
        if value is None and (self._judged_otherwise() or self._report_read()):
            observed = Text("no --exit-code, but the script may fail by itself")
            return [Finding("gate", "exit-code-unclear", claim, None, at, expected, observed)]
        if value is None:
            return [
                Finding(
                    "gate", "exit-code-missing", claim, False, at, expected, Text("no --exit-code"), advice
                )
            ]
        if tokens(value):
            return [
                Finding("gate", "exit-code-unclear", claim, None, at, expected, f"--exit-code {shown(value)}")
            ]
        number = int(value) if value.strip().lstrip("+-").isdecimal() else None
        if number is None:
            observed = Text("--exit-code {value} is no number", value=value)
            return [Finding("gate", "exit-code-invalid", claim, False, at, expected, observed, advice)]
        fails = number % 256 != 0
        fact = "exit-code" if fails else "exit-code-zero"
        return [Finding("gate", fact, claim, fails, at, expected, f"--exit-code {number}", advice)]

    def _judged_otherwise(self) -> bool:
        """Whether the script can fail although Trivy succeeds: it may read Trivy's report itself."""
        try:
            ways = self.program.ways
        except Beyond:
            return True
        return any(way.status != 0 and any(ran.argv == self.ran.argv for ran in way.commands) for way in ways)

    def _report_read(self) -> bool:
        """Whether a later step names the report: it may fail by what it reads there."""
        report = self.option("output")
        if not report or self.option("format") == "template":
            return False
        own = self.program.step.view.path
        name = shown(report).rpartition("/")[2]
        return any(name in text for step in self.task.steps if step.view.path > own for text, _ in step.texts)

    def _severity(self) -> list[Finding]:
        claim = Text("CRITICAL is among the severities that count")
        value = self.option("severity")
        at = self._at("severity", "TRIVY_SEVERITY", "-s")
        expected = "--severity CRITICAL"
        if value is None:
            found = [Finding("severity", "severity", claim, True, at)]
            return [*found, _stricter(Text("no --severity: every severity counts"), at)]
        if tokens(value):
            return [
                Finding(
                    "severity", "severity-unclear", claim, None, at, expected, f"--severity {shown(value)}"
                )
            ]
        given = [part for text in self.flags.values.get("severity", [value]) for part in text.split(",")]
        wrong = [part for part in given if part not in SEVERITIES]
        observed = f"--severity {','.join(given)}"
        if wrong:
            spaced = all(part.strip() in SEVERITIES for part in wrong)
            advice = (
                Text("Trivy takes the blank for a part of the word and stops: no blank after the comma.")
                if spaced
                else Text(
                    "Trivy knows UNKNOWN, LOW, MEDIUM, HIGH and CRITICAL, in capitals, and stops at "
                    "anything else."
                )
            )
            fact = "severity-with-space" if spaced else "severity-invalid"
            return [Finding("severity", fact, claim, False, at, expected, observed, advice)]
        has = "CRITICAL" in given
        fact = "severity" if has else "severity-without-critical"
        advice = Text("Add CRITICAL: what is not listed is not looked at.")
        found = [Finding("severity", fact, claim, has, at, expected, observed, advice)]
        if has and len(set(given)) > 1:
            found.append(_stricter(observed, at))
        return found

    def _scanners(self) -> list[Finding]:
        claim = Text("Trivy looks for vulnerabilities")
        scanners = self.option("scanners") or self.option("security-checks")
        form = self.option("format") or "table"
        at = self._at("scanners", "security-checks", "format")
        off = (
            "vuln" not in scanners.split(",")
            if scanners is not None and not tokens(scanners)
            else form in _STOCKTAKING
        ) or bool(self.flags.is_on("download-db-only"))
        found = [
            Finding(
                "gate", "no-vulnerability-scan" if off else "scanners", claim, not off, at,
                Text("the vulnerability scanner, which is on by default"),
                Text("--scanners {scanners}, --format {format}", scanners=scanners or "–", format=form),
                Text("Leave --scanners out, or let it name vuln; SBOM formats switch the search off."),
            )
        ]  # fmt: skip
        if self.flags.is_on("ignore-unfixed") or (self.option("ignore-unfixed") or "").lower() == "true":
            found.append(
                Finding(
                    "remark", "ignores-unfixed", Text("Every critical vulnerability counts"), False,
                    self._at("ignore-unfixed"),
                    observed="--ignore-unfixed",
                    next=Text("Vulnerabilities without a fix pass. That can be meant: write down who "
                        "decided it."),
                )
            )  # fmt: skip
        return found

    def _propagation(self) -> list[Finding]:
        claim = Text("A scan that fails stops the Task")
        step = self.program.step
        advice = Text("Let Trivy's exit status be the step's: nothing may swallow it.")
        expected = Text("the step ends with Trivy's status")
        if step.goes_on:
            at: Path = (*step.view.path, "onError")
            return [
                Finding("stops", "scan-cannot-fail", claim, False, at, expected, "onError: continue", advice)
            ]
        argv = self.ran.argv
        try:
            ways = self.program.follow(lambda words: 1 if tuple(words) == argv else 0)
        except Beyond:
            return [Finding("stops", "scan-unclear", claim, None, self._at("trivy"), expected)]
        statuses = {way.status for way in ways if any(ran.argv == argv for ran in way.commands)}
        at = (*step.view.path, "script") if step.script else self._at("trivy", "||", ";")
        if 0 not in statuses:
            skipped = [way for way in ways if way.status == 0]
            if skipped:
                observed = Text("on one way through the script Trivy is not run at all")
                return [Finding("stops", "scan-unclear", claim, None, at, expected, observed)]
            return [Finding("stops", "stops", claim, True, at)]
        if statuses == {0}:
            observed = Text("when Trivy fails, the step still ends with 0")
            return [Finding("stops", "scan-cannot-fail", claim, False, at, expected, observed, advice)]
        return [
            Finding(
                "stops", "scan-unclear", claim, None, at, expected, Text("it depends on values of the run")
            )
        ]


def scans(task: Task) -> list[Scan]:
    """Return every run of Trivy in a Task."""
    programs = [Program(step, task.values()) for step in task.steps]
    return [
        Scan(program, ran, task)
        for program in programs
        for ran in program.commands
        if ran.argv and is_trivy(ran.argv[0])
    ]


def best_scan(task: Task) -> list[Finding]:
    """Return the findings of the run of Trivy that comes nearest to a gate; empty where there is none."""
    judged = [scan.findings() for scan in scans(task)]
    return min(
        judged,
        key=lambda found: sum(each.met is not True for each in found if each.topic != "remark"),
        default=[],
    )


def _stricter(observed: Text | str, at: Path) -> Finding:
    return Finding(
        "remark", "stricter-than-asked", Text("The gate closes for CRITICAL only, as asked"), False, at,
        "--severity CRITICAL", observed,
        Text("Stricter is fine; expect to be stopped more often."),
    )  # fmt: skip
