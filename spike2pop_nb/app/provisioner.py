"""Kernels for the server that are forked from a prepared process; ordinary ones where that cannot be."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from spike2pop_nb.app.forkserver import ENVIRONMENT, MOST_BYTES

__all__ = [
    "PROVISIONER",
    "ForkError",
    "ForkProvisioner",
    "ForkServer",
    "Forked",
    "can_fork",
    "metadata",
    "register",
]

PROVISIONER = "spike2pop-fork"
"""What a kernel specification calls `ForkProvisioner`, once it is registered."""
_PATIENCE_S = 120.0
_LAUNCHER = "ipykernel_launcher"


def can_fork() -> bool:
    """Whether a process can be forked here after it has imported large libraries.

    Windows cannot at all, and system libraries of macOS break in the child.
    """
    return sys.platform == "linux"


class ForkError(Exception):
    """No kernel could be forked."""


class Forked:
    """A forked kernel; as much of `subprocess.Popen` as a provisioner asks for."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._channel = channel

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None:
            try:
                said = self._channel.recv(MOST_BYTES)
            except BlockingIOError:
                return None
            except OSError:
                said = b""
            # Without the process that forked it, nobody knows how it ended.
            self.returncode = int(json.loads(said)["exit"]) if said else 1
            self._channel.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once there is one."""
        while (code := self.poll()) is None:
            if not select.select([self._channel], [], [], timeout)[0]:
                assert timeout is not None
                raise subprocess.TimeoutExpired("a kernel", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to all that it has started."""
        if self.poll() is None:
            os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The prepared process, as seen from the server.

    ``command`` is what to run, to which the number of a socket is added, and ``leaves`` a folder to remove
    when this process has ended, be it killed.
    """

    def __init__(
        self,
        command: Sequence[str] = ("-P", "-m", "spike2pop_nb.app.forkserver"),
        leaves: Path | None = None,
    ) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        environment = {**os.environ, **ENVIRONMENT}
        environment.pop("JPY_PARENT_PID", None)  # kernels end with this server, not with what it runs in
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, *command, str(theirs.fileno()), *([] if leaves is None else [str(leaves)])],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl+C in the terminal is for the server
            )

    async def fork(self, arguments: Sequence[str], env: Mapping[str, str], cwd: str | None) -> Forked:
        """Start a kernel.

        Raises
        ------
        ForkError
            If that cannot be.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        request = json.dumps({"args": list(arguments), "env": dict(env), "cwd": cwd}).encode()
        try:
            with theirs:
                socket.send_fds(self._control, [request], [theirs.fileno()])
            loop = asyncio.get_running_loop()
            said = await asyncio.wait_for(loop.sock_recv(ours, MOST_BYTES), _PATIENCE_S)
            return Forked(json.loads(said)["pid"], ours)
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            ours.close()
            raise ForkError(str(error)) from error

    def close(self) -> None:
        """End it; its kernels live on for as long as this process does."""
        self._control.close()
        try:
            self.process.wait(1.0)  # it does not listen while it imports
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ForkProvisioner(LocalProvisioner):
    """Forks kernels from `server` while there is one."""

    server: ClassVar[ForkServer | None] = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel: forked, or else in a process of its own."""
        server = ForkProvisioner.server
        if server is None or _LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
        try:
            process = await server.fork(arguments, kwargs.get("env", os.environ), kwargs.get("cwd"))
        except ForkError as error:
            if server.process.poll() is not None:
                ForkProvisioner.server = None
            self.log.error(
                "A session could not be forked (%s); it starts by itself, which takes more time and memory.",
                error,
            )
            return await super().launch_kernel(cmd, **kwargs)
        self.process = process  # type: ignore[assignment]  # as much of one as is asked for
        self.pid = self.pgid = process.pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel, if it has not ended."""
        if self.process is not None and self.process.poll() is None:
            await super().send_signal(signum)


def register(server: ForkServer | None) -> None:
    """Fork the kernels of this process from a server from now on; without one they are ordinary."""
    ForkProvisioner.server = server
    # Of use in this process alone, so no entry point of the installation names it.
    KernelProvisionerFactory.provisioners[PROVISIONER] = EntryPoint(
        PROVISIONER, f"{__name__}:{ForkProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
    )


def metadata() -> dict[str, Any]:
    """What the metadata of a kernel specification must say to have its kernels forked."""
    return {"kernel_provisioner": {"provisioner_name": PROVISIONER}} if ForkProvisioner.server else {}
