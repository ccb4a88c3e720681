"""Credential definitions: outcomes, rubrics, evidence rules, in immutable versions."""
