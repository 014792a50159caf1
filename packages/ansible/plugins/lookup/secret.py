# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: secret
author:
  - The oxp-vault authors (@oxp-vault)
version_added: 0.1.0
short_description: Secrets of an oxp-vault
description:
  - Opens secrets, or fields of them, through an unlocked agent. One agent serves a whole playbook, with all its hosts and tasks.
  - The values arrive exactly as they were sealed, with every line break, and are never templated.
extends_documentation_fragment:
  - oxp.vault.vault
options:
  _terms:
    description:
      - Names of secrets, such as C(dns/tsig), or of one field, such as C(dns/tsig#secret).
    type: list
    elements: str
  role:
    description:
      - Instead of names, everything that this role reads, as one dictionary by name.
    type: str
  version:
    description:
      - The version to open instead of the newest, where one name is given.
    type: int
  format:
    description:
      - V(text) is the value itself, which has to be UTF-8. V(base64) takes any bytes.
      - Else one of the output formats of C(oxp-vault open) that are one document, for instance V(bind) or V(env).
    type: str
    default: text
notes:
  - C(errors=warn) and C(errors=ignore) work as for every lookup.
  - What a task prints or a callback stores may hold a value that was looked up. Give such tasks C(no_log).
  - Agents, SSH keys and vaulted files are in docs/ansible.md, in the repository of oxp-vault.
"""

EXAMPLES = r"""
- name: The key for dynamic updates, as BIND reads it
  ansible.builtin.copy:
    content: "{{ lookup('oxp.vault.secret', 'dns/tsig', format='bind') }}"
    dest: /etc/bind/keys/tsig.key
    mode: "0640"
  no_log: true

- name: One field, at an older version
  ansible.builtin.set_fact:
    old_secret: "{{ lookup('oxp.vault.secret', 'dns/tsig#secret', version=1) }}"
  no_log: true

- name: A file that is no text
  ansible.builtin.copy:
    content: "{{ lookup('oxp.vault.secret', 'app/keystore', format='base64') | b64decode(encoding='latin-1') }}"
    dest: /etc/app/keystore.p12
    mode: "0600"
  no_log: true

- name: Everything that a role reads
  ansible.builtin.debug:
    msg: "{{ lookup('oxp.vault.secret', role='platform').keys() | list }}"
"""

RETURN = r"""
_raw:
  description: The values in the order of the terms, or one dictionary for a role, in which bytes that are no text are C({"base64"; ...}).
  type: list
  elements: raw
"""

import base64  # noqa: E402

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.literal import literal  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.opening import Opening  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.values import text_or_base64, text_of, wanted_of  # noqa: E402


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        try:
            return [literal(value) for value in self._values(terms)]
        except VaultFault as fault:
            # Without the cause: what led here is of no use, and -vvv shows it.
            raise AnsibleLookupError("oxp-vault: %s" % fault) from None

    def _values(self, terms):
        role, version, output = self.get_option("role"), self.get_option("version"), self.get_option("format")
        opening = Opening(self.get_option)
        if role is not None:
            if terms or version is not None or output != "text":
                raise VaultFault("USAGE", "a role gives everything it reads, as text: no name, version or format belongs to it")
            return [{each["name"]: text_or_base64(each["value"]) for each in opening.ask(lambda agent, vault: agent.role(role, vault))}]
        wanted = wanted_of(terms, version)
        if output not in ("text", "base64"):
            return [text_of(opening.ask(lambda agent, vault, one=one: agent.render([one], output, vault)), one) for one in wanted]
        if not wanted:
            return []
        values = [each["value"] for each in opening.ask(lambda agent, vault: agent.secrets(wanted, vault))]
        if output == "base64":
            return [base64.b64encode(value).decode("ascii") for value in values]
        return [text_of(value, one) for value, one in zip(values, wanted)]
