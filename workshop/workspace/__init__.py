"""Reading a student's `td/` folder: the only code that does, and it trusts nothing it finds there."""

from workshop.dialects import Dialect
from workshop.workspace.documents import Document, parse_documents
from workshop.workspace.folder import Workspace
from workshop.workspace.problems import Kind, NotAWorkspace, Position, Problem, Unreadable
from workshop.workspace.snapshot import Snapshot
from workshop.workspace.textfile import TextFile

__all__ = [
    "Dialect",
    "Document",
    "Kind",
    "NotAWorkspace",
    "Position",
    "Problem",
    "Snapshot",
    "TextFile",
    "Unreadable",
    "Workspace",
    "parse_documents",
]
