# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""Terms and values."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import re

from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault


def wanted_of(terms, version=None):
    """What an agent is asked for: NAME or NAME#FIELD each. Whether there is such a name is the agent's to say."""
    if version is not None and len(terms) != 1:
        raise VaultFault("USAGE", "a version belongs to exactly one secret, and %d are named" % len(terms))
    wanted = []
    for term in terms:
        if not isinstance(term, str):
            raise VaultFault("USAGE", "the name of a secret is a text, and a %s is given" % type(term).__name__)
        # A plain text, without what Ansible marks it with.
        name, has_field, field = "".join(list(term)).partition("#")
        one = {"name": name}
        if has_field:
            one["field"] = field
        if version is not None:
            one["version"] = version
        wanted.append(one)
    return wanted


def text_of(value, wanted):
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        # Without the cause, which quotes the bytes.
        raise VaultFault("FORMAT_UNSUITABLE", "%s is no text (UTF-8)" % wanted["name"], "Take it as format='base64', or a field that is text.") from None


def text_or_base64(value):
    """As the JSON of `oxp-vault open` has it."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


def variable_name(name, prefix):
    """`dns/rfc2136_tsig_secret` becomes `vault_dns_rfc2136_tsig_secret`."""
    return prefix + re.sub("[^A-Za-z0-9]", "_", name).lower()
