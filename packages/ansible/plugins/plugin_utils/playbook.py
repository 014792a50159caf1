# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""
An agent for one run of Ansible, where the user has none: started by whichever of its processes is first, found by all the others,
and gone with the run. Lookups run in forked workers, so nothing that one of them keeps in memory is seen by the next.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import subprocess
import tempfile
import time

from ansible_collections.oxp.vault.plugins.plugin_utils.agent import connect, must_be_own_directory
from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault, fault_of_exit

SOCKET = "agent.sock"
FAILED = "failed"
# Seconds for which the reason why no agent could be started is believed: fifty workers do not all try what one has tried.
FAILED_FOR = 10
# Its end is that of the run; this is for a machine whose clock jumps.
LONGEST = "7d"
PURPOSE = "ansible"
MAX_FAILED = 65536


def runtime_directory():
    """Where the agents of this user listen (core/src/agent/socket.ts, socketOf)."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        return os.path.join(runtime, "oxp-vault")
    return os.path.join(tempfile.gettempdir(), "oxp-vault-%d" % os.getuid())


def run_process():
    """The number of the process that is this run of Ansible: that of the parent in a worker."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None else parent.pid


def playbook_agent(command):
    """The agent of this run; `command` holds the words of `oxp-vault` up to the options of `agent start`, and the scope."""
    program, words, scope = command
    socket = _socket_of(command)
    directory = os.path.dirname(socket)
    found = connect(socket)
    if found is not None:
        return found
    with _alone_in(directory):
        found = connect(socket)
        if found is not None:
            return found
        _remembered_failure(directory)
        _sweep(os.path.dirname(directory), directory)
        try:
            ends = ["--for", LONGEST, "--while", str(run_process())]
            _start(program, words + ["agent", "start", "--read-only", "--foreground", "--json", "--socket", socket, "--purpose", PURPOSE] + ends + scope)
        except VaultFault as fault:
            # Two directories of one name, if an agent has ended between our looks: the other start won.
            if fault.code != "AGENT_RUNNING":
                _remember_failure(directory, fault)
                raise
        found = connect(socket)
    if found is None:
        why = "the agent for this run of Ansible was started, and ended at once"
        raise VaultFault("AGENT_UNREACHABLE", why, "Look why: oxp-vault agent start --foreground")
    return found


def running_playbook_agent(command):
    """The same where it has been started; None where it has not."""
    return connect(_socket_of(command))


def _socket_of(command):
    key = json.dumps([run_process(), os.getcwd(), command])
    return os.path.join(runtime_directory(), "run-%s" % hashlib.sha256(key.encode("utf-8")).hexdigest()[:16], SOCKET)


@contextlib.contextmanager
def _alone_in(directory):
    # The mode is that of every directory on the way: makedirs gives it to the last one only.
    for path in (os.path.dirname(directory), directory):
        os.makedirs(path, mode=0o700, exist_ok=True)
        must_be_own_directory(path)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _start(program, words):
    # A file, not a pipe: nobody reads from the agent once it runs. Gone by its name at once.
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.Popen([program] + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True)
        except OSError as error:
            why = "no agent runs, and %s cannot be started: %s" % (program, error.strerror)
            raise VaultFault("AGENT_UNREACHABLE", why, "Install oxp-vault, or name it in OXP_VAULT_PROGRAM.") from None
        with child.stdout as ready:
            if ready.readline() != b"":
                # It ends by itself, when this run of Ansible does: nobody waits for it here.
                child.returncode = 0
                return
        status = child.wait()
        said.seek(0)
        raise fault_of_exit(status, said.read())


def _remember_failure(directory, fault):
    path = os.path.join(directory, FAILED)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(fault.document(), file)


def _remembered_failure(directory):
    path = os.path.join(directory, FAILED)
    try:
        age = time.time() - os.lstat(path).st_mtime
        with open(path, "rb") as file:
            document = json.loads(file.read(MAX_FAILED).decode("utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if 0 <= age < FAILED_FOR:
        raise VaultFault(document["code"], document["message"], document["hint"])
    os.unlink(path)


def _sweep(base, own):
    """Takes away what runs of long ago have left: that no agent could be started, or the socket of one that was killed."""
    for name in os.listdir(base):
        directory = os.path.join(base, name)
        if not name.startswith("run-") or directory == own:
            continue
        try:
            if time.time() - os.lstat(directory).st_mtime < 86400 or connect(os.path.join(directory, SOCKET)) is not None:
                continue
            for left in (FAILED, SOCKET):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(directory, left))
            os.rmdir(directory)
        except (OSError, VaultFault):
            continue  # in use, or somebody else was quicker: the next run looks again
