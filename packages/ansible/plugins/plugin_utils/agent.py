# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""Asking an agent: HTTP over its Unix socket. Nothing is sent to one that could be somebody else's."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import http.client
import json
import os
import socket
import stat
import tempfile

from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault, fault_of

# Seconds. Longer than any question takes; a vault behind a slow network is looked at by the agent beforehand.
TIMEOUT = 60
MAX_ANSWER = 256 * 1024 * 1024
START_ANEW = "Start it anew: oxp-vault agent stop, then oxp-vault agent start"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("oxp-vault", timeout=TIMEOUT)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _must_be_own(path, what, is_kind):
    found = os.lstat(path)
    if not is_kind(found.st_mode):
        why = "it is no %s" % what
    elif found.st_uid != os.getuid():
        why = "it belongs to another user"
    elif found.st_mode & 0o077:
        why = "others may use it"
    else:
        return
    raise VaultFault("AGENT_UNSAFE", "the %s %s of the agent is not believed: %s" % (what, path, why), "Nothing was asked or told there.")


def must_be_own_directory(path):
    """Raises AGENT_UNSAFE for a directory that others can write or read."""
    _must_be_own(path, "directory", stat.S_ISDIR)


class Agent(object):
    """The agent at a socket, which was there when this was made."""

    def __init__(self, path):
        self.path = path
        self.found = self.status()

    def status(self):
        """vault (id), address, scope, entries, root (of the log), pid and more."""
        return self._ask("GET", "/v1/status")

    def refresh(self):
        """Has it look for news of the vault, and gives its status."""
        return self._ask("POST", "/v1/refresh", {})

    def secrets(self, wanted, vault=None):
        """Values as bytes with name, field, version and kind, in the order of `wanted`: [{"name", "field"?, "version"?}]."""
        return self._values({"secrets": wanted}, vault)

    def role(self, role, vault=None):
        """The same of everything that a role reads."""
        return self._values({"role": role}, vault)

    def render(self, wanted, output_format, vault=None):
        """One document in a format of `oxp-vault open`, as bytes."""
        return base64.b64decode(self._ask("POST", "/v1/render", _meaning(vault, {"secrets": wanted, "format": output_format}))["base64"])

    def _values(self, question, vault):
        answer = self._ask("POST", "/v1/secrets", _meaning(vault, question))
        return [dict(each, value=base64.b64decode(each["base64"])) for each in answer["secrets"]]

    def _ask(self, method, path, question=None):
        connection = _Connection(self.path)
        try:
            body = None if question is None else json.dumps(question).encode("utf-8")
            connection.request(method, path, body, {} if body is None else {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self.path, error)
        finally:
            connection.close()
        try:
            answer = json.loads(text.decode("utf-8"))
        except ValueError:
            answer = None  # no answer of an agent: said below, without quoting it
        if response.status == 200 and isinstance(answer, dict):
            return answer
        raise fault_of(answer) or VaultFault("AGENT_UNREACHABLE", "the agent gave an answer that this release does not understand", START_ANEW)


def _meaning(vault, question):
    return question if vault is None else dict(question, vault=vault)


def unreachable(path, error):
    why = getattr(error, "strerror", None) or "it gave no answer"
    return VaultFault(
        "AGENT_UNREACHABLE",
        "no agent answers at %s: %s" % (path, why),
        "Start one: oxp-vault agent start. Without it: unset OXP_VAULT_AGENT, and one is started for the playbook.",
    )


def _must_not_be_exchanged(directory):
    """Whoever owns the directory above could exchange this one between a look at it and its use (core/src/agent/socket.ts)."""
    above = os.path.dirname(os.path.abspath(directory))
    found = os.stat(above)
    # A link is its owner's to turn elsewhere.
    trusted = above == os.path.abspath(tempfile.gettempdir()) or all(each.st_uid in (os.getuid(), 0) for each in (os.lstat(above), found))
    if not trusted:
        why = "it belongs to another user"
    elif found.st_mode & 0o002 and not found.st_mode & stat.S_ISVTX:
        why = "everybody may exchange what lies in it"
    else:
        return
    raise VaultFault("AGENT_UNSAFE", "the directory %s of the agent is not believed: %s" % (above, why), "Nothing was asked or told there.")


def connect(path):
    """The agent that listens there; None where nobody does. Raises AGENT_UNSAFE, AGENT_UNREACHABLE."""
    try:
        must_be_own_directory(os.path.dirname(path))
        _must_not_be_exchanged(os.path.dirname(path))
        _must_be_own(path, "socket", stat.S_ISSOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        return None  # left by one that was killed, or gone this moment
    except OSError as error:
        raise unreachable(path, error)
    finally:
        probe.close()
    return Agent(path)
