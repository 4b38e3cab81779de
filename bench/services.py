"""Engines and registries for the bench: started here, on loopback or a socket of their own, and ended with it."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from common import path, say, sh


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(ready, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        if ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args[0]} did not come up")


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def docker_engine():
    """A Docker engine with a store of its own below the bench's folder; gives its address, or None (said)."""
    if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("docker"):
        say("no Docker engine can be started here (root, dockerd, docker)")
        yield None
        return
    run = tempfile.mkdtemp(prefix="plimsoll-bench-")
    address = f"unix://{run}/docker.sock"
    with open(run + "/log", "w") as log:
        # Its own mounts and network: it must not meet another engine of this machine.
        p = subprocess.Popen(["unshare", "-n", "-m", "dockerd", "--data-root", path("docker"), "--exec-root", run + "/exec",
                              "--pidfile", run + "/pid", "-H", address, "--bridge=none", "--iptables=false",
                              "--storage-driver=overlay2"], stdout=log, stderr=log)
    try:
        wait_for(lambda: subprocess.run(["docker", "-H", address, "version"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL).returncode == 0, p)
        yield address
    finally:
        stop(p)
        shutil.rmtree(run, ignore_errors=True)


def docker_load(address, archive, name):
    have = subprocess.run(["docker", "-H", address, "image", "inspect", name], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0
    if not have:
        say(f"loading {name} ...")
        sh("docker", "-H", address, "load", "-q", "-i", archive)


@contextlib.contextmanager
def registry():
    """Debian's docker-registry on loopback; gives host:port, or None (said)."""
    if not shutil.which("docker-registry") or not shutil.which("skopeo"):
        say("no registry can be started here (docker-registry, skopeo)")
        yield None
        return
    host = f"127.0.0.1:{free_port()}"
    run = tempfile.mkdtemp(prefix="plimsoll-bench-")
    with open(run + "/config.yml", "w") as f:
        f.write(f"version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {path('registry')}}}\n"
                f"http: {{addr: {host}}}\n")
    with open(run + "/log", "w") as log:
        p = subprocess.Popen(["docker-registry", "serve", run + "/config.yml"], stdout=log, stderr=log)
    try:
        wait_for(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", f"http://{host}/v2/"]).returncode == 0, p)
        yield host
    finally:
        stop(p)
        shutil.rmtree(run, ignore_errors=True)


def registry_push(host, layout, name):
    sh("skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:" + layout, f"docker://{host}/{name}")
