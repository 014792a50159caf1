# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: sealed
author:
  - The oxp-vault authors (@oxp-vault)
version_added: 0.1.0
short_description: An inventory that is sealed in an oxp-vault
description:
  - Reads a secret of kind C(ansible-inventory), YAML or INI, without writing it to a file.
  - The configuration is a file whose name ends in C(sealed.yml) or C(sealed.yaml).
extends_documentation_fragment:
  - oxp.vault.vault
options:
  plugin:
    description:
      - Says that this file is for this plugin.
    type: str
    required: true
    choices: [oxp.vault.sealed]
  secret:
    description:
      - Name of the secret.
    type: str
    required: true
  version:
    description:
      - The version to open instead of the newest.
    type: int
  trusted:
    description:
      - Whether templates in its variables are templates, as in an inventory of your own.
      - Otherwise they are plain text, because a template runs on the controller with all that it may do.
    type: bool
    default: false
"""

EXAMPLES = r"""
# production.sealed.yml, for: ansible-playbook -i production.sealed.yml site.yml
plugin: oxp.vault.sealed
secret: ansible/production
"""

from ansible.errors import AnsibleParserError  # noqa: E402
from ansible.inventory.data import InventoryData  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.inventory import BaseInventoryPlugin  # noqa: E402
from ansible.plugins.loader import inventory_loader  # noqa: E402

from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.literal import literal  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.opening import Opening  # noqa: E402
from ansible_collections.oxp.vault.plugins.plugin_utils.values import wanted_of  # noqa: E402

FORMATS = ("yaml", "ini")


class _SealedLoader(DataLoader):
    """Gives the plugins that read an inventory from a file what was sealed instead."""

    def __init__(self, content):
        super().__init__()
        self._content = content

    def _get_file_contents(self, file_name):
        # False: nothing of it is shown in a message.
        return self._content, False


class InventoryModule(BaseInventoryPlugin):
    NAME = "oxp.vault.sealed"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("sealed.yml", "sealed.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        name = self.get_option("secret")
        try:
            content, kind = self._open(name)
        except VaultFault as fault:
            raise AnsibleParserError("oxp-vault: %s" % fault) from None
        _take_over(inventory, _parsed(content, kind, path, name), (lambda value: value) if self.get_option("trusted") else literal)

    def _open(self, name):
        wanted = wanted_of([name], self.get_option("version"))
        if "field" in wanted[0]:
            raise VaultFault("USAGE", "an inventory is a whole secret, and a field is named")
        opening = Opening(self.get_option)
        content, kind = opening.ask(lambda agent, vault: agent.secrets([wanted[0], dict(wanted[0], field="format")], vault))
        return content["value"], kind["value"].decode("utf-8")


def _parsed(content, kind, path, name):
    if kind not in FORMATS:
        raise AnsibleParserError("oxp-vault: %s is no inventory that this release of the collection reads" % name)
    scratch = InventoryData()
    try:
        inventory_loader.get("ansible.builtin.%s" % kind).parse(scratch, _SealedLoader(content), path)
    except Exception as error:  # pylint: disable=broad-except
        # Whatever it is: its words may quote the inventory.
        raise AnsibleParserError("oxp-vault: Ansible does not read the sealed inventory %s (%s)" % (name, type(error).__name__)) from None
    return scratch


def _take_over(inventory, sealed, value_of):
    for group in sealed.groups.values():
        inventory.add_group(literal(group.name))
        for name, value in group.vars.items():
            inventory.set_variable(group.name, literal(name), value_of(value))
    for host in sealed.hosts.values():
        inventory.add_host(literal(host.name))
        for name, value in host.vars.items():
            # Ansible's own, which say where the inventory lies.
            if name not in ("inventory_file", "inventory_dir"):
                inventory.set_variable(host.name, literal(name), value_of(value))
    for group in sealed.groups.values():
        for child in group.child_groups + group.hosts:
            inventory.add_child(group.name, child.name)
