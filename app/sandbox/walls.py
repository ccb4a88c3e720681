"""The walls around a confined process: limits, no network, no other files, no way to more rights.

Limits hold everywhere. Network and files are cut by what the kernel offers: on Linux a namespace
without a network, a filter on system calls (seccomp) and rules on paths (Landlock); what a kernel
or a container refuses is left out, and the other walls stand.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CLONE_THREAD = 0x00010000
EPERM, ENOSYS = 1, 38
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {
    # socket connect bind listen sendto sendmsg ptrace mount pivot_root umount2 unshare setns
    # process_vm_readv process_vm_writev keyctl add_key request_key bpf perf_event_open
    # userfaultfd io_uring_setup init_module finit_module kexec_load setsid setpgid
    "x86_64": (
        *(41, 42, 49, 50, 44, 46, 101, 165, 155, 166, 272, 308, 310, 311, 250, 248, 249),
        *(321, 298, 323, 425, 175, 313, 246, 112, 109),
    ),
    "aarch64": (
        *(198, 203, 200, 201, 206, 211, 117, 40, 41, 39, 97, 268, 270, 271, 219, 217, 218),
        *(280, 241, 282, 425, 105, 273, 104, 157, 154),
    ),
}
# those that begin another process: clone (threads are let through), fork, vfork, execve, execveat
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
STARTING = {"x86_64": (57, 58, 59, 322), "aarch64": (221, 281)}
X32 = 0x40000000
LD_NR, LD_ARCH, LD_FIRST = (0x20, 0), (0x20, 4), (0x20, 16)
JUMP_IF, JUMP_AT_LEAST, JUMP_IF_BITS, ANSWER = 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
READ_EXECUTE = 0b1101
"""execute, read file, read directory"""
FIRST_VERSION = 0b1_1111_1111_1111
READABLE = (
    *("/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/etc/alternatives", "/etc/ld.so.cache"),
    *("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types"),
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/var/cache/fontconfig"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
)
WRITABLE = ("/dev/null",)
ROOMS = ("app", "workflows", "credentials", "storage")
PROJECT = Path(__file__).resolve().parents[2]

_libc = ctypes.CDLL(None, use_errno=True)


def build(
    *,
    cpu_seconds: int,
    wall_seconds: float,
    memory_bytes: int,
    file_bytes: int,
    open_files: int,
    processes: int,
    folder: str | None,
) -> None:
    """Put up every wall that this machine has. From here on nothing takes them down."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_AS, memory_bytes)
    if processes == 0:  # counted over all that the user runs: another number would mean little
        _limit(resource.RLIMIT_NPROC, 0)
    # a second way out, should whoever started this not be there to end it
    signal.setitimer(signal.ITIMER_REAL, wall_seconds + 5)
    os.umask(0o077)
    if sys.platform == "linux":
        _no_network()
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _few_files(folder)
        _few_calls(alone=processes == 0)


def die_with_parent() -> None:
    """End when the process that waits for us ends."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit(which: int, most: int, at_last: int | None = None) -> None:
    """No more than `most`; past `at_last` the kernel no longer asks."""
    hard = resource.getrlimit(which)[1]
    wanted = [most, most if at_last is None else at_last]
    if hard != resource.RLIM_INFINITY:
        wanted = [min(each, hard) for each in wanted]
    with suppress(ValueError, OSError):  # macOS knows no limit of memory
        resource.setrlimit(which, (wanted[0], wanted[1]))


def _no_network() -> None:
    """A namespace with no network in it; as root without one of users."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _few_calls(*, alone: bool) -> None:
    """Refuse system calls that open lines, start processes (when `alone`), or reach into others."""
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        return
    code = _filter(machine, alone=alone)
    buffer = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    )
    _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


def _filter(machine: str, *, alone: bool) -> bytes:
    """The filter as the kernel's BPF: struct sock_filter, eight bytes each."""
    steps = [
        _step(*LD_ARCH),
        _step(JUMP_IF, AUDIT_ARCH[machine], 1, 0),
        _step(ANSWER, KILL),
        _step(*LD_NR),
        _step(JUMP_AT_LEAST, X32, 0, 1) if machine == "x86_64" else b"",
        _step(ANSWER, REFUSE | EPERM) if machine == "x86_64" else b"",
    ]
    refused = [*REFUSED[machine], *(STARTING[machine] if alone else ())]
    for number in refused:
        steps += [_step(JUMP_IF, number, 0, 1), _step(ANSWER, REFUSE | EPERM)]
    if alone:
        # what clone3 is asked for lies in memory that a filter cannot see; libc falls back
        steps += [_step(JUMP_IF, CLONE3, 0, 1), _step(ANSWER, REFUSE | ENOSYS)]
        steps += [
            _step(JUMP_IF, CLONE[machine], 0, 3),
            _step(*LD_FIRST),
            _step(JUMP_IF_BITS, CLONE_THREAD, 1, 0),
            _step(ANSWER, REFUSE | EPERM),
        ]
    return b"".join([*steps, _step(ANSWER, ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _few_files(folder: str | None) -> None:
    """Only the system's programs and our own code can be read, only the folder written to."""
    handled = ctypes.c_uint64(FIRST_VERSION)
    rules = _libc.syscall(LANDLOCK_CREATE, ctypes.byref(handled), 8, 0)
    if rules < 0:
        return
    try:
        for path in _readable():
            _allow(rules, path, READ_EXECUTE)
        for path in WRITABLE:
            _allow(rules, path, 0b0110)
        if folder:
            _allow(rules, folder, FIRST_VERSION)
        _libc.syscall(LANDLOCK_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _readable() -> tuple[str, ...]:
    python = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    return (*READABLE, *python, *(str(PROJECT / room) for room in ROOMS))


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(path).is_dir():
            rights &= 0b0111  # execute, write, read: what a file can have
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
        _libc.syscall(LANDLOCK_ADD, rules, 1, rule, 0)
    finally:
        os.close(place)
