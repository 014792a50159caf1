# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: role
author:
  - The oxp-vault authors (@oxp-vault)
version_added: 0.1.0
short_description: Everything that a role of an oxp-vault reads, as variables
description:
  - Gives every host the secrets that a role reads, as variables of the group C(all), which every other variable of the same name overrides.
  - The secret C(dns/tsig) becomes C(vault_dns_tsig). What is no text becomes C({"base64"; ...}).
  - They are opened once and kept until the log of the vault has grown.
  - Enable it with C(vars_plugins_enabled = host_group_vars, oxp.vault.role) and name the role. It is then used by every command that
    loads variables; C(ansible-inventory --list) prints them.
extends_documentation_fragment:
  - oxp.vault.vault
  - ansible.builtin.vars_plugin_staging
options:
  role:
    description:
      - Names of one or more roles.
    type: list
    elements: str
    required: true
    env:
      - name: OXP_VAULT_ANSIBLE_ROLE
    ini:
      - section: oxp_vault
        key: role
  prefix:
    description:
      - Put before the name of every variable.
    type: str
    default: vault_
    env:
      - name: OXP_VAULT_ANSIBLE_PREFIX
    ini:
      - section: oxp_vault
        key: prefix
"""

import re  # noqa: E402
import time  # noqa: E402

from ansible.errors import AnsibleError  # noqa: E402
from ansible.inventory.group import Group  # noqa: E402
from ansible.plugins.vars import BaseVarsPlugin  # noqa: E402

from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.literal import literal  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.opening import Opening  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.values import text_or_base64, variable_name  # noqa: E402

# Seconds for which the log is not asked about again: Ansible comes here for every host of every task.
UNASKED = 2

# By the options: when the agent was asked last, which log it then had, and the variables.
_KNOWN = {}


class VarsModule(BaseVarsPlugin):
    def get_vars(self, loader, path, entities, cache=True):
        super().get_vars(loader, path, entities)
        several = entities if isinstance(entities, list) else [entities]
        if not any(isinstance(entity, Group) and entity.name == "all" for entity in several):
            return {}
        try:
            return dict(self._variables())
        except VaultFault as fault:
            raise AnsibleError("oxp-vault: %s" % fault) from None

    def _variables(self):
        roles, prefix = self.get_option("role"), self.get_option("prefix")
        if not re.match("^[A-Za-z_][A-Za-z0-9_]*$", prefix):
            raise VaultFault("USAGE", "the prefix is not the beginning of a variable's name")
        opening = Opening(self.get_option)
        key = (opening.key, tuple(roles), prefix)
        asked, log, variables = _KNOWN.get(key, (None, None, None))
        if asked is not None and time.monotonic() - asked < UNASKED:
            return variables

        def question(agent, vault):
            status = agent.status()
            newest = (status["vault"], status["entries"], status["root"])
            if newest == log:
                return log, variables
            return newest, _named([secret for role in roles for secret in agent.role(role, vault)], prefix)

        log, variables = opening.ask(question)
        _KNOWN[key] = (time.monotonic(), log, variables)
        return variables


def _named(secrets, prefix):
    variables, taken = {}, {}
    for secret in secrets:
        name = variable_name(secret["name"], prefix)
        other = taken.setdefault(name, secret["name"])
        if other != secret["name"]:
            why = "%s and %s would both be the variable %s" % (other, secret["name"], name)
            raise VaultFault("FORMAT_UNSUITABLE", why, "Look them up by name: oxp.vault.secret.")
        variables[name] = literal(text_or_base64(secret["value"]))
    return variables
