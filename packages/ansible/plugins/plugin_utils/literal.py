# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""Values that no release of Ansible templates: whoever sealed one does not run code on the controller."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

try:
    # 2.19 and later: only what is marked as trusted is templated, and text from elsewhere is not.
    from ansible.template import trust_as_template  # noqa: F401, pylint: disable=unused-import
except ImportError:
    # Before, every text is templated but what is marked as unsafe.
    from ansible.utils.unsafe_proxy import wrap_var as literal
else:
    def literal(value):
        """The same with every text a plain one, without marks of where it is from."""
        if isinstance(value, str):
            return "".join(list(value))
        if isinstance(value, dict):
            return {literal(key): literal(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [literal(item) for item in value]
        return value

__all__ = ["literal"]
