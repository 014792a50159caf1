# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, with the code that C(oxp-vault help CODE) explains. Never holds a value or a part of one."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible_collections.oxp.vault.plugins.module_utils.exit_codes import CLASSES, ERROR_CODES, WORDS


class VaultFault(Exception):
    """One fault of the vault, the agent or the command."""

    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def exit_code(self):
        """What the command exits with for this code; 1 for one of a newer release."""
        return CLASSES[ERROR_CODES.get(self.code, "unexpected")]

    def __str__(self):
        hint = "" if self.hint is None else " " + self.hint
        return "%s: %s.%s (exit code %d; oxp-vault help %s)" % (self.code, self.message.rstrip("."), hint, self.exit_code, self.code)

    def document(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}


def fault_of(document):
    """The fault in an answer {"error": {...}}, of the agent or of the command; None where it is none."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str) or not isinstance(error.get("message"), str):
        return None
    details = [line for line in error.get("details") or [] if isinstance(line, str)]
    return VaultFault(error["code"], "; ".join([error["message"]] + details), error.get("hint"))


def fault_of_exit(status, stderr):
    """The fault that made the command exit: what it said with --json, else what its exit code means."""
    for line in reversed(stderr.decode("utf-8", "replace").splitlines()):
        try:
            fault = fault_of(json.loads(line))
        except ValueError:
            continue  # a line for people: warnings come before the error
        if fault is not None:
            return fault
    return VaultFault("INTERNAL", "oxp-vault ended with %d (%s) and said nothing more" % (status, WORDS.get(status, "a signal")))
