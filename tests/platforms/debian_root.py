# SPDX-License-Identifier: MIT
"""Minimal Debian systems of any release, each in a folder below build/roots/, and commands run in them.

A root shares only the kernel and the network with this machine: a command in it has its own mounts and processes.
Packages come from the mirror and the proxy of this machine's apt, whose settings are read each time.
"""
import os
import pathlib
import re
import shutil
import subprocess

ROOTS = pathlib.Path(__file__).resolve().parents[2] / "build" / "roots"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--")
# Makes the root the "/" of a command. It does not use chroot, because a process in a chroot cannot make user namespaces.
ENTER = """
root=$1 folder=$2
shift 2
mount --rbind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
pivot_root . .
umount -l .
cd "$folder"
unset OLDPWD
exec "$@"
"""
PROXIES = ("http_proxy", "https_proxy", "no_proxy")


class Unavailable(Exception):
    """This machine cannot make roots; the text says why."""


class Failure(Exception):
    """A command failed."""


def inside(root, *command, folder="/", **variables):
    """The command line that runs `command` in a root, in `folder`. The command gets the given environment variables, those
    of a login and this machine's proxies, and no others."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                   "TERM": "dumb", **{name: os.environ[name] for name in PROXIES if name in os.environ}, **variables}
    return ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *NAMESPACES,
            "sh", "-euc", ENTER, "sh", str(root), folder, *(str(word) for word in command)]


def run(root, *command, folder="/", log=None, **variables):
    """Runs a command in a root. Its output goes to the file `log`, or to this program's output. Raises Failure."""
    _run(*inside(root, *command, folder=folder, **variables), log=log, name=" ".join(map(str, command)))


def result_of(root, *command, folder="/", **variables):
    """Runs a command in a root. Returns its exit status, and what it wrote to standard output and error."""
    result = subprocess.run(inside(root, *command, folder=folder, **variables), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return result.returncode, result.stdout


def output_of(root, *command):
    """The output of a command in a root. Raises Failure."""
    status, output = result_of(root, *command)
    if status != 0:
        raise Failure(f"{' '.join(map(str, command))}: exit status {status}: {output}")
    return output


def make(suite, packages=(), name="minimal", anew=False):
    """Makes a root of a Debian suite with these packages installed, and returns its folder.

    The root "minimal" has only debootstrap's packages; the others begin as copies of it. A root with this suite and
    name is reused and its packages are updated, unless `anew` is true. Raises Unavailable, Failure.
    """
    reason = why_unavailable()
    if reason:
        raise Unavailable(reason)
    if name == "minimal" and (packages or anew):
        raise ValueError("the root 'minimal' is shared: it cannot get packages or be made anew")
    root = ROOTS / f"{suite}-{name}"
    ROOTS.mkdir(parents=True, exist_ok=True)
    log_name = root.with_suffix(".log")
    with open(log_name, "w", encoding="utf-8") as log:
        try:
            if name == "minimal":
                _make_minimal(root, suite, log)
            elif anew or not root.exists():
                _copy(make(suite), root, log)
            _copy_settings(root)
            if packages:
                _apt(root, log, "update")
                _apt(root, log, "install", *packages)
        except (Failure, OSError) as failure:
            tail = log_name.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            raise Failure("\n".join([*tail, f"{suite}: {failure} (the whole log: {log_name})"])) from failure
    return root


def why_unavailable():
    """Why this machine cannot make roots; None if it can."""
    if os.geteuid() != 0:
        return "only root can make a root"
    missing = [tool for tool in ("apt-config", "debootstrap", "pivot_root", "unshare") if not shutil.which(tool)]
    if missing:
        return f"a root takes {', '.join(missing)}"
    attempt = subprocess.run([*NAMESPACES, "mount", "-t", "proc", "proc", "/proc"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if attempt.returncode == 0 else f"no mounts of our own here: {attempt.stdout.strip()}"


def mirror():
    """The mirror of this machine's packages, as arguments of debootstrap. Empty if the machine does not run Debian, so that
    debootstrap uses its default."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE))
    if release.get("ID") != "debian" or "VERSION_CODENAME" not in release:
        return []
    return subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                           f"Codename: {release['VERSION_CODENAME']}"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.split()[:1]


def _run(*command, log, name):
    status = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                            stderr=log and subprocess.STDOUT, check=False).returncode
    if status != 0:
        raise Failure(f"{name}: exit status {status}")


def _apt(root, log, *arguments):
    run(root, "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", *arguments, log=log,
        DEBIAN_FRONTEND="noninteractive")


def _copy(source, target, log):
    partial = target.with_suffix(".partial")  # renamed when it is complete
    for folder in (partial, target):
        shutil.rmtree(folder, ignore_errors=True)
    _run("cp", "-a", "--reflink=auto", source, partial, log=log, name="cp")
    partial.rename(target)


def _copy_settings(root):
    """Copies the settings with which this machine reaches the network."""
    shutil.copy("/etc/resolv.conf", root / "etc")
    settings = subprocess.run(["apt-config", "dump", "Acquire::http", "Acquire::https", "Acquire::Check-Valid-Until",
                               "Acquire::Check-Date"], stdout=subprocess.PIPE, text=True, check=True).stdout
    (root / "etc/apt/apt.conf.d/machine").write_text(settings, encoding="utf-8")


def _make_minimal(root, suite, log):
    if not root.exists():
        partial = root.with_suffix(".partial")  # renamed when it is complete
        shutil.rmtree(partial, ignore_errors=True)
        source = mirror()
        certificates = ["--include=ca-certificates"] if source and source[0].startswith("https:") else []
        _run("debootstrap", "--variant=minbase", *certificates, suite, partial, *source, log=log, name="debootstrap")
        # dpkg does not need to sync: a damaged root can be made again.
        (partial / "etc/dpkg/dpkg.cfg.d/no-fsync").write_text("force-unsafe-io\n", encoding="utf-8")
        partial.rename(root)
    _copy_settings(root)
    _apt(root, log, "update")
    _apt(root, log, "dist-upgrade")
    _apt(root, log, "clean")
    for index in (root / "var/lib/apt/lists").iterdir():
        shutil.rmtree(index) if index.is_dir() else index.unlink()
