"""`assay demo`: one whole case over HTTP, as all of its people, on real files and real engines."""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.cli.surroundings import say
from app.demo.files import VIDEO_SECONDS, Made, make_files
from app.demo.journey import Journey, step
from app.demo.uploading import sha256_of_file
from credentials.digests import sha256_from_multibase
from storage.errors import AssayError, Unavailable

READY = "Assay is ready at "
START_SECONDS = 180
STOP_SECONDS = 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the result goes, and how large the video is."""
    parser.add_argument("--out", default="demo-out", metavar="DIR", help="default: demo-out")
    parser.add_argument(
        "--video-seconds",
        type=int,
        default=VIDEO_SECONDS,
        metavar="N",
        help=f"length of the video, about 19 MB a second; default: {VIDEO_SECONDS}",
    )


def run(args: argparse.Namespace) -> int:
    """Walk the case; 0 only if the credential verifies and every digest is that of the file."""
    out = Path(args.out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with _home() as home:
        say("Making the learner's files:")
        files = make_files(home / "files", lambda line: say(f"  {line}"), args.video_seconds)
        with _installation(home / "state") as (site, env):
            try:
                credential_id = _walk(site, files)
            except AssayError as error:
                say(f"\nThe case went wrong: {error}")
                say(f"The logs of its parts: {_keep_logs(home / 'state', out)}")
                return 1
            _export(credential_id, out, env)
        good = _judge(out, files)
    say(f"\n{'All is well' if good else 'Something is wrong'} ({time.monotonic() - began:.0f} s).")
    say(f"The credential and all that is needed to check it: {out}")
    return 0 if good else 1


def _walk(site: str, files: Sequence[Made]) -> str:
    journey = Journey(site, files, _detail)
    acts = journey.acts()
    for number, (words, act) in enumerate(acts, 1):
        with step(number, len(acts), words, say):
            act()
    return journey.credential_id


def _detail(line: str) -> None:
    """A line of detail; the progress of parts overwrites itself on a terminal."""
    passing = ": part " in line
    if not passing:
        say(f"        {line}")
    elif sys.stdout.isatty():
        print(f"\r        {line}   ", end="\r", flush=True)


def _keep_logs(state: Path, out: Path) -> Path:
    logs = out / "logs"
    logs.mkdir(exist_ok=True)
    for log in (state / "parts").glob("*/log"):
        shutil.copy(log, logs / f"{log.parent.name}.log")
    return logs


def _export(credential_id: str, out: Path, env: Mapping[str, str]) -> None:
    say("Writing the bundle for checking it offline")
    command = [sys.executable, "-m", "app.cli", "export", credential_id, "--out", str(out)]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"The export failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _judge(out: Path, files: Sequence[Made]) -> bool:
    """Check the bundle as a stranger would: without network, with the learner's own files."""
    say("\nassay verify, without network, with the files from Ana's disk:")
    verify = [sys.executable, "-m", "app.cli", "verify", str(out / "credential.json")]
    given = [argument for made in files for argument in ("--evidence", str(made.path))]
    verdict = subprocess.run([*verify, "--documents", str(out), *given], check=False).returncode
    same = _digests_agree(out, files)
    return verdict == 0 and same


def _digests_agree(out: Path, files: Sequence[Made]) -> bool:
    """Whether the credential names exactly these bytes of every file."""
    document = json.loads((out / "credential.json").read_text("utf-8"))
    named = {
        sha256_from_multibase(entry["digestMultibase"]) for entry in document.get("evidence", [])
    }
    agree = True
    say("\nsha256sum of each file, and whether the credential carries it:")
    for made in files:
        digest = sha256_of_file(made.path)
        here = digest in named
        agree = agree and here
        say(f"  {digest}  {made.path.name}  {'yes' if here else 'NO'}")
    return agree


@contextmanager
def _home() -> Iterator[Path]:
    """A folder that an unprivileged PostgreSQL can reach, removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="assay-demo-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _installation(state: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """An installation of its own, started as `make run` does, and stopped at the end."""
    port = _free_port()
    env = {
        **os.environ,
        "ASSAY_ENV": "demo",
        "ASSAY_HOME": str(state),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    log = state.parent / "up.log"
    say("Starting the engines, the web and the workers")
    with log.open("w") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(up, log)
        yield env["PUBLIC_URL"], env
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(STOP_SECONDS)


def _wait_until_ready(up: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY not in (told := log.read_text("utf-8")):
        if up.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"Assay did not start:\n{told[-1500:]}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
