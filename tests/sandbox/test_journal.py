"""What the supervisor reports arrives as it was meant, in every language."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workshop.sandbox import journal
from workshop.sandbox.errors import SandboxError
from workshop.texts import Bilingual, Message, Text

_PLAIN = st.text(max_size=20)
_MESSAGES: st.SearchStrategy[Message] = st.recursive(
    _PLAIN | st.builds(Bilingual, en=_PLAIN, fr=_PLAIN),
    lambda inner: st.builds(
        lambda english, params: Text(english, **params),
        _PLAIN,
        st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda k: k != "english"), inner),
    ),
    max_leaves=4,
)


@given(_MESSAGES)
def test_messages_survive(message: Message) -> None:
    assert journal.unpack(journal.pack(message)) == message


def test_a_reader_sees_whole_entries_only(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    writer = journal.Journal(path)
    writer.write("ready", Text("{component} is ready", component="etcd"), component="etcd")
    with path.open("ab") as file:
        file.write(b'{"kind": "up", "sec')
    entries, offset = journal.read(path)
    assert [(entry.kind, entry.component, str(entry.text)) for entry in entries] == [
        ("ready", "etcd", "etcd is ready")
    ]
    with path.open("ab") as file:
        file.write(b'onds": 1.5, "text": "x", "component": "", "remedy": null, "details": []}\n')
    entries, offset = journal.read(path, offset)
    assert [(entry.kind, entry.seconds) for entry in entries] == [("up", 1.5)]
    assert journal.read(path, offset) == ([], offset)


def test_a_failure_keeps_its_remedy_and_last_lines(tmp_path: Path) -> None:
    writer = journal.Journal(tmp_path / "journal")
    writer.fail(SandboxError(Text("{n} went wrong", n=1), Text("Try again."), ("last", "line")))
    (entry,), _ = journal.read(tmp_path / "journal")
    assert (entry.kind, str(entry.text), str(entry.remedy), entry.details) == (
        "failed",
        "1 went wrong",
        "Try again.",
        ("last", "line"),
    )


def test_a_new_start_begins_a_new_journal(tmp_path: Path) -> None:
    for _ in range(2):
        journal.Journal(tmp_path / "journal").write("up", Text("up"))
    assert len(journal.read(tmp_path / "journal")[0]) == 1


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "journal") == ([], 0)


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'\0\0\0\n[]\n{"kind": 1}\n')
    assert journal.read(tmp_path / "journal")[0] == []
