# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""Options of everything here that opens secrets."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r"""
options:
  vault:
    description:
      - Address of the vault, as C(oxp-vault --vault) takes it.
      - Without it the vault is found as the command finds it, from the directory that Ansible is run in.
    type: str
    env:
      - name: OXP_VAULT
    ini:
      - section: oxp_vault
        key: vault
    vars:
      - name: oxp_vault
  expect:
    description:
      - The vault this must be, as C(VAULT) or C(VAULT@SIZE:ROOT); the line that C(oxp-vault status) prints.
    type: str
    env:
      - name: OXP_VAULT_EXPECT
    ini:
      - section: oxp_vault
        key: expect
    vars:
      - name: oxp_vault_expect
  identity:
    description:
      - File of the identity to open with. Naming one leaves out agents that were unlocked with another.
      - Without it the command finds the identity, also through C(OXP_VAULT_IDENTITY).
    type: str
    ini:
      - section: oxp_vault
        key: identity
    vars:
      - name: oxp_vault_identity
  passphrase_file:
    description:
      - File with the passphrase of that identity. Nobody is asked for it here.
    type: str
    env:
      - name: OXP_VAULT_PASSPHRASE_FILE
    ini:
      - section: oxp_vault
        key: passphrase_file
    vars:
      - name: oxp_vault_passphrase_file
  scope:
    description:
      - What an agent that is started for the playbook may open, names such as C(dns/tsig) or C(dns/) for all below it.
      - An agent that runs already keeps the scope that it was started with.
    type: list
    elements: str
    default: [/]
    env:
      - name: OXP_VAULT_ANSIBLE_SCOPE
    ini:
      - section: oxp_vault
        key: scope
    vars:
      - name: oxp_vault_scope
  program:
    description:
      - The command, looked up on C(PATH) unless it has a slash. Started once for a playbook, and only where no agent runs.
    type: str
    default: oxp-vault
    env:
      - name: OXP_VAULT_PROGRAM
    ini:
      - section: oxp_vault
        key: program
    vars:
      - name: oxp_vault_program
notes:
  - An agent that runs already is used, that of C(oxp-vault exec) or of C(oxp-vault agent start). Otherwise one is started
    for the playbook, and ends with it.
  - Values are never templated.
"""
