"""A process of its own for code that reads what strangers sent.

`run_confined("module:function", args, folder=…, source=…, limits=…)` starts it, waits and gives
back the function's JSON object. The function takes `(args, place)`: see `workflows.confining`.

    run_confined ──starts──▶ app.sandbox.child: limits, no network, no secrets, one folder
         ▲   └─ ranges of the source ─▶ │
         └──── one JSON object ─────────┘

Raises TooSlow, TooLarge or Crashed (all Confined) and never lets the process outlive the call.
"""

from app.sandbox.parent import ChildProcesses, run_confined
from workflows.confining import Confined, Crashed, Limits, Place, Source, TooLarge, TooSlow

__all__ = [
    "ChildProcesses",
    "Confined",
    "Crashed",
    "Limits",
    "Place",
    "Source",
    "TooLarge",
    "TooSlow",
    "run_confined",
]
