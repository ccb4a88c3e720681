"""Strangers' input, made up by the thousand: verdicts must come out, and nothing else."""
