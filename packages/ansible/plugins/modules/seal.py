# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: seal
author:
  - The oxp-vault authors (@oxp-vault)
version_added: 0.1.0
short_description: Seals a value in an oxp-vault, or has one made
description:
  - Runs on the controller, whatever the host of the task, so that the value goes nowhere else. It is given to C(oxp-vault) on standard
    input, and is never written to a file.
  - A value that is the current one already is not sealed again.
  - Sealing takes an unlocked identity, since an agent only opens. On the controller of a pipeline that is a machine's.
attributes:
  check_mode:
    description: Says what would be sealed, and writes nothing.
    support: full
  diff_mode:
    description: Shows the version and the kind, never a value.
    support: full
  action:
    description: Runs on the controller.
    support: full
options:
  name:
    description:
      - Name of the secret, such as C(dns/tsig).
    type: str
    required: true
  value:
    description:
      - The value, as text. Exactly one of O(value), O(value_base64), O(src) and O(generate) says what is sealed.
    type: str
  value_base64:
    description:
      - The value in Base64, for what is no text.
    type: str
  src:
    description:
      - A file on the controller that holds the value.
    type: path
  generate:
    description:
      - Has the value made, as O(kind) and O(parameters) or bootstrap.yaml say. A secret that is there is left as it is.
    type: bool
    default: false
  force:
    description:
      - With O(generate), makes the next version of a secret that is there, as C(oxp-vault rotate) does.
    type: bool
    default: false
  kind:
    description:
      - What it is, as C(oxp-vault seal --kind) takes it. A secret that is there keeps its kind.
    type: str
  parameters:
    description:
      - Parameters of the kind, such as C(key) of a C(tsig). Never values.
    type: dict
    default: {}
  vault:
    description:
      - Address of the vault. Without it the vault is found as the command finds it.
    type: str
  expect:
    description:
      - The vault this must be, as C(VAULT) or C(VAULT@SIZE:ROOT).
    type: str
  identity:
    description:
      - File of the identity to seal with.
    type: str
  passphrase_file:
    description:
      - File with the passphrase of that identity.
    type: str
  program:
    description:
      - The command.
    type: str
notes:
  - The variables, environment and C(ansible.cfg) settings of the lookup P(oxp.vault.secret#lookup) apply here, too.
  - A loop over values shows them as its items. Give such a task C(no_log).
seealso:
  - plugin: oxp.vault.secret
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: A token that this play was given
  oxp.vault.seal:
    name: app/token
    value: "{{ token }}"

- name: The kubeconfig that was fetched
  oxp.vault.seal:
    name: kube/root
    value_base64: "{{ fetched.content }}"
    kind: kubeconfig

- name: A key for dynamic updates, unless there is one
  oxp.vault.seal:
    name: dns/tsig
    generate: true
    kind: tsig
    parameters:
      key: external-dns.
"""

RETURN = r"""
name:
  description: Name of the secret.
  type: str
  returned: success
kind:
  description: What it is.
  type: str
  returned: success
version:
  description: The version that it has now, or would have.
  type: int
  returned: success
action:
  description: What was done or would be, C(import), C(generate), C(reseal) or C(unchanged).
  type: str
  returned: success
readers:
  description: Roles that can open it.
  type: list
  elements: str
  returned: when something was sealed
code:
  description: Error code, which C(oxp-vault help CODE) explains.
  type: str
  returned: failure
exit_code:
  description: What the command exits with for this code.
  type: int
  returned: failure
"""
