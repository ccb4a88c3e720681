"""PostgreSQL will not run as root: who it runs as then, and where that user's data can lie.

Permissions of folders that are not ours are never changed. Where the unprivileged user cannot
reach the state folder or the program files, a folder under the system's temporary one is used.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.engines.engine import EngineFailed
from app.engines.state import make_folder, write_private

USER = "assay"


@dataclass(frozen=True)
class Place:
    """Where the program and the data are, and who owns the data (None: ourselves)."""

    program: Path
    data: Path
    uid: int | None
    gid: int | None


def place_for(home: Path, program: Path) -> Place:
    """Choose program folder, data folder and user for a state folder `home`.

    `program` is the wheel's `pginstall` folder. Raises EngineFailed with what to do.
    """
    data = home / "data"
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            owner = _name_of(data.stat().st_uid)
            raise EngineFailed(
                f"{data} belongs to {owner}. Run Assay as that user, or give it a state folder of "
                "its own with ASSAY_HOME."
            )
        return Place(program, make_folder(data), None, None)
    who = _owner_to_run_as(data)
    return Place(_program_for(who, program), _data_for(who, home), who.pw_uid, who.pw_gid)


def reachable(who: pwd.struct_passwd, folder: Path) -> bool:
    """Whether the user can enter the folder, asked of the system as that user."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1" && ls . >/dev/null', "sh", str(folder)],
        user=who.pw_uid,
        group=who.pw_gid,
        extra_groups=[],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return tried.returncode == 0


def _owner_to_run_as(data: Path) -> pwd.struct_passwd:
    """Who made the data before, else an unprivileged user of the system."""
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    for name in (USER, "postgres"):
        if known := _known(name):
            return known
    subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER],
        capture_output=True,
        check=False,
    ) if shutil.which("useradd") else None
    who = _known(USER) or _known("nobody")
    if who is None:
        raise EngineFailed(
            "PostgreSQL refuses to run as root and there is no unprivileged user to run it. "
            f"Create one (useradd --system {USER}), run as another user, or set DATABASE_URL."
        )
    return who


def _known(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _program_for(who: pwd.struct_passwd, program: Path) -> Path:
    """The program where the user can run it: in place, else a copy owned by root."""
    if reachable(who, program / "bin") and reachable(who, program / "share"):
        return program
    stamp = int((program / "bin" / "postgres").stat().st_mtime)
    copy = _temporary() / f"assay-postgres-{os.geteuid()}-{stamp}"
    if copy.is_symlink() or (copy.exists() and copy.stat().st_uid != os.geteuid()):
        raise EngineFailed(f"{copy} is not ours. Remove it and start again.")
    if not copy.exists():
        _copy_program(program, copy)
    return copy / program.parent.name / program.name


def _copy_program(program: Path, copy: Path) -> None:
    """Copy the wheel's program with the libraries that lie beside its package."""
    package = program.parent
    fresh = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    fresh.chmod(0o755)
    shutil.copytree(program, fresh / package.name / program.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    fresh.rename(copy)


def _data_for(who: pwd.struct_passwd, home: Path) -> Path:
    """The data folder under `home`, else the one outside that `home/data-folder` names."""
    pointer = home / "data-folder"
    if pointer.exists():
        return _owned(who, Path(pointer.read_text().strip()))
    data = make_folder(home / "data")
    os.chown(data, who.pw_uid, who.pw_gid)
    if reachable(who, data):
        return data
    data.rmdir()
    outside = Path(tempfile.mkdtemp(prefix="assay-data-", dir=_temporary()))
    os.chown(outside, who.pw_uid, who.pw_gid)
    write_private(pointer, str(outside))
    return outside


def _owned(who: pwd.struct_passwd, data: Path) -> Path:
    """The folder outside, unless it went with a reboot or is someone else's by now."""
    if not data.is_symlink() and data.is_dir() and data.stat().st_uid == who.pw_uid:
        return data
    raise EngineFailed(
        f"The database was kept in {data}, which is gone or belongs to someone else. To start "
        "afresh remove the state folder (ASSAY_HOME); to keep data, put the state folder where an "
        "unprivileged user can reach it."
    )


def _temporary() -> Path:
    """The system's temporary folder; the one that outlives a reboot when there is one."""
    lasting = Path("/var/tmp")  # noqa: S108  # only mkdtemp and checked names below it
    return lasting if lasting.is_dir() else Path(tempfile.gettempdir())
