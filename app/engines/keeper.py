"""Runs one process and never outlives its parent; a script of its own, standard library only.

The parent holds the other end of standard input. When that closes, because the parent is done or
because it was killed, the keeper stops the process and waits for it, so nothing is left behind.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1


class Plan(TypedDict):
    """What to run, and how it is stopped."""

    command: list[str]
    folder: str
    uid: int | None
    gid: int | None
    stop_signal: int
    grace: float
    record: str
    log: str


def birth(pid: int) -> str:
    """When the process was born, in the system's own notation; '' when there is none.

    A pid with the same birth is the same process, and not one that was given the number later.
    """
    stat = Path(f"/proc/{pid}/stat")
    try:
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            return "" if fields[0] == "Z" else fields[19]
    except OSError:
        return ""
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def spawn(plan: Plan) -> "subprocess.Popen[bytes]":
    """Start the process under its user, with its output in the log."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_keeper() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, plan["stop_signal"])

    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    log = os.open(plan["log"], flags, 0o600)
    try:
        return subprocess.Popen(
            plan["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=plan["folder"],
            user=plan["uid"],
            group=plan["gid"],
            extra_groups=[] if plan["uid"] is not None else None,
            start_new_session=True,
            preexec_fn=die_with_keeper,  # noqa: PLW1509  # the keeper has one thread here
        )
    finally:
        os.close(log)


def end_group(leader: int) -> None:
    """End what the process itself started and left behind."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def write_record(plan: Plan, pid: int) -> None:
    """Write down who runs, so that a next start can end what a kill -9 of us left over."""
    record = Path(plan["record"])
    fresh = record.with_name(record.name + ".new")
    fresh.write_text(json.dumps({"pid": pid, "birth": birth(pid), "signal": plan["stop_signal"]}))
    fresh.replace(record)


def main() -> int:
    """Run the plan in the first argument until the process ends or the parent lets go."""
    plan: Plan = json.loads(sys.argv[1])
    os.umask(0o077)
    process = spawn(plan)
    write_record(plan, process.pid)

    def stop(*_: object) -> None:
        process.send_signal(plan["stop_signal"])
        last_resort = threading.Timer(plan["grace"], process.kill)
        last_resort.daemon = True
        last_resort.start()

    def stop_when_parent_lets_go() -> None:
        sys.stdin.buffer.read()
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=stop_when_parent_lets_go, daemon=True).start()
    code = process.wait()
    end_group(process.pid)
    Path(plan["record"]).unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    # not sys.exit: the reading thread may still hold the standard input
    os._exit(main())
