"""What Backstage reads: entities of its catalogue and templates of its scaffolder, without a Backstage."""

from workshop.backstage.entities import Refusal, refusals
from workshop.backstage.entity_refs import EntityReference, parse_reference
from workshop.backstage.expressions import Flaw, Reference, flaws, references
from workshop.backstage.repositories import github_repository
from workshop.backstage.templates import Property, Step, Template

__all__ = [
    "EntityReference",
    "Flaw",
    "Property",
    "Reference",
    "Refusal",
    "Step",
    "Template",
    "flaws",
    "github_repository",
    "parse_reference",
    "references",
    "refusals",
]
