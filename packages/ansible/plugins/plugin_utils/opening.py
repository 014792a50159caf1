# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""Which agent is asked: the one that OXP_VAULT_AGENT names, the user's own for this vault, or one for this run of Ansible."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import os
import re

from ansible_collections.oxp.vault.plugins.plugin_utils.address import meant_vault
from ansible_collections.oxp.vault.plugins.plugin_utils.agent import connect, unreachable
from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault
from ansible_collections.oxp.vault.plugins.plugin_utils.playbook import SOCKET, playbook_agent, running_playbook_agent, runtime_directory

OPTIONS = ("vault", "expect", "identity", "passphrase_file", "program", "scope")

# Agents that this process has found, by what they were looked for with. A worker takes over those of its parent.
_FOUND = {}


class Opening(object):
    """The options of a plugin, and how what they mean is opened."""

    def __init__(self, get_option):
        options = {name: get_option(name) for name in OPTIONS}
        self._meant = meant_vault(options["vault"] or None, options["expect"] or None)
        self._named = None if options["identity"] else os.environ.get("OXP_VAULT_AGENT") or None
        self._identity = options["identity"]
        if not isinstance(options["scope"], list) or not options["scope"]:
            raise VaultFault("USAGE", "the scope is no list of names and paths")
        self._command = (_program(options["program"]), command_words(options), [word for path in options["scope"] for word in ("--scope", path)])
        self.key = repr((self._meant.address, self._meant.id, self._named, self._command))

    def ask(self, question):
        """
        What `question(agent, vault)` gives; `vault` is the id that is expected, or None. An agent that may not open it is as if it
        were not there. Raises VaultFault.
        """
        outside = None
        known = _FOUND.get(self.key)
        if known is not None:
            try:
                return question(known, self._meant.id)
            except VaultFault as fault:
                if fault.code not in ("NOT_ALLOWED", "AGENT_UNREACHABLE"):
                    raise
                # It has ended, or was started for something narrower: whoever is there now is looked for.
                del _FOUND[self.key]
        for agent in self._running():
            try:
                answer = question(agent, self._meant.id)
            except VaultFault as fault:
                if fault.code != "NOT_ALLOWED":
                    raise
                outside = fault
                continue
            _FOUND[self.key] = agent
            return answer
        try:
            agent = playbook_agent(self._command)
        except VaultFault as fault:
            raise outside or fault
        answer = question(agent, self._meant.id)
        _FOUND[self.key] = agent
        return answer

    @property
    def command(self):
        """The program and its global words, for a command that somebody starts beside the agent."""
        program, words, _scope = self._command
        return [program] + words

    def refresh(self):
        """Has whichever agents run look for news; starts none."""
        agents = list(self._running())
        own = running_playbook_agent(self._command)
        for agent in agents if own is None else agents + [own]:
            agent.refresh()

    def _running(self):
        if self._named is not None:
            agent = connect(self._named)
            if agent is None:
                raise unreachable(self._named, ConnectionRefusedError(0, "nobody listens"))
            if self._meant.is_served_by(agent.found) is not False:
                yield agent
        if self._identity:
            return
        for path in self._own_sockets():
            agent = connect(path)
            if agent is not None and self._meant.is_served_by(agent.found):
                yield agent

    def _own_sockets(self):
        base, address = runtime_directory(), self._meant.address
        if address is not None and not address.startswith("git+"):
            return [os.path.join(base, hashlib.sha256(address.encode("utf-8")).hexdigest()[:16], SOCKET)]
        try:
            names = sorted(os.listdir(base))
        except FileNotFoundError:
            return []
        # Only the command knows where a vault in Git is at home: each agent is asked what it serves.
        return [os.path.join(base, name, SOCKET) for name in names if re.match("^[0-9a-f]{16}$", name)]


def command_words(options):
    """The global words of `oxp-vault` that the options stand for, and those that every command on a vault takes."""
    words = []
    for name, flag in (("vault", "--vault"), ("identity", "--identity"), ("passphrase_file", "--passphrase-file"), ("expect", "--expect")):
        value = options[name]
        if value:
            words += [flag, os.path.expanduser(value)]
    return words


def _program(program):
    return os.path.expanduser(program) if "/" in program else program
