"""Looking into archives before anything else does: bounded, without unpacking anything to a disk.

`workflows.archives.look:look` runs in the confined process; `findings.py` is what it answers, and
all that the rest of the house sees of it.
"""
