"""What becomes of the subject when its work is given up: per kind, in the same transaction."""

from collections.abc import Mapping

from workflows.evidence.sealing import evidence_failed
from workflows.looking.commands import look_failed
from workflows.looking.renditions import rendition_failed
from workflows.work import Mourner, Work

ON_DEAD: Mapping[str, Mourner] = {
    Work.SEAL_EVIDENCE: evidence_failed,
    Work.INSPECT_EVIDENCE: look_failed,
    Work.MAKE_RENDITION: rendition_failed,
}
