"""What becomes of the subject when its work is given up: per kind, in the same transaction."""

from collections.abc import Mapping

from workflows.work import Mourner

ON_DEAD: Mapping[str, Mourner] = {}
