# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import binascii
import json
import os
import subprocess

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display

from ansible_collections.oxp.vault.plugins.module_utils.exit_codes import CLASSES
from ansible_collections.oxp.vault.plugins.plugin_utils.faults import VaultFault, fault_of_exit
from ansible_collections.oxp.vault.plugins.plugin_utils.opening import Opening

SOURCES = ("value", "value_base64", "src", "generate")
VAULT_OPTIONS = ("vault", "expect", "identity", "passphrase_file", "program")
OPTIONS = SOURCES + VAULT_OPTIONS + ("name", "force", "kind", "parameters")


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        try:
            result.update(self._seal(task_vars or {}))
        except VaultFault as fault:
            result.update(failed=True, msg="oxp-vault: %s" % fault, code=fault.code, exit_code=fault.exit_code)
        return result

    def _seal(self, task_vars):
        args = {name: value for name, value in self._task.args.items() if value is not None}
        name = _text(args, "name")
        if name is None:
            raise VaultFault("USAGE", "the secret has no name")
        opening = self._opening(args, task_vars)
        value, words = self._value(args), _kind_words(args)
        # Only where it matters: a process for each.
        before = _current(opening.command, name) if value is None or self._task.diff else None
        if value is None and before is not None and not _flag(args, "force"):
            return dict(changed=False, action="unchanged", **before)
        given = [] if value is None else ["--from", "-"]
        dry = ["--dry-run"] if self._task.check_mode else []
        if value is None and before is not None:
            line = _rotated(opening.command, before, dry)
        else:
            line = _run(opening.command + ["seal", "--json"] + given + words + dry + ["--", name], value)["secrets"][0]
        changed = "readers" in line
        if changed and not dry:
            _tell(opening)
        after = {"name": name, "kind": line["kind"], "version": line["version"]}
        answer = dict(after, changed=changed, action=line["action"], **({"readers": line["readers"]} if changed else {}))
        if self._task.diff and changed:
            answer["diff"] = {"before": _shown(before), "after": _shown(after), "before_header": name, "after_header": name}
        return answer

    def _opening(self, args, task_vars):
        # The options of the lookup, with all places where they can be set.
        lookup = lookup_loader.get("oxp.vault.secret", loader=self._loader, templar=self._templar)
        direct = {option: _text(args, option) for option in VAULT_OPTIONS if option in args}
        lookup.set_options(var_options=task_vars, direct=direct)
        return Opening(lookup.get_option)

    def _value(self, args):
        """The value as bytes; None where it is to be made."""
        given = [source for source in SOURCES if source in args and (source != "generate" or _flag(args, "generate"))]
        if len(given) != 1:
            said = "%s are given" % " and ".join(given) if given else "none is given"
            raise VaultFault("USAGE", "exactly one of %s says what is sealed, and %s" % (", ".join(SOURCES), said))
        if given == ["generate"]:
            return None
        text = _text(args, given[0])
        if given == ["value"]:
            return text.encode("utf-8")
        if given == ["value_base64"]:
            try:
                return base64.b64decode("".join(text.split()), validate=True)
            except (binascii.Error, ValueError):
                raise VaultFault("BAD_VALUE", "value_base64 is no Base64") from None
        path = self._loader.path_dwim(os.path.expanduser(text))
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            raise VaultFault("FILE_NOT_FOUND", "%s cannot be read: %s" % (path, error.strerror)) from None


def _text(args, option):
    value = args.get(option)
    if value is None or isinstance(value, str):
        return value
    raise VaultFault("USAGE", "%s is a text, and a %s is given" % (option, type(value).__name__), "Put it in quotes.")


def _flag(args, option):
    try:
        return boolean(args.get(option, False))
    except TypeError:
        raise VaultFault("USAGE", "%s is yes or no" % option) from None


def _kind_words(args):
    words = ["--kind", _text(args, "kind")] if "kind" in args else []
    parameters = args.get("parameters", {})
    if not isinstance(parameters, dict):
        raise VaultFault("USAGE", "parameters are a dictionary")
    for key, value in parameters.items():
        words += ["--set", "%s=%s" % (key, value if isinstance(value, str) else json.dumps(value))]
    return words


def _current(command, name):
    """Name, kind and version of a secret; None where there is none. Nobody is asked for a passphrase, and nothing is opened."""
    try:
        shown = _run(command + ["show", "--json", "--", name])
    except VaultFault as fault:
        if fault.exit_code == CLASSES["not-found"] and fault.code == "SECRET_NOT_FOUND":
            return None
        raise
    return {"name": name, "kind": shown["kind"], "version": shown["version"]}


def _rotated(command, before, dry):
    """The next version of what was made before, as it was made."""
    if dry:
        return dict(before, version=before["version"] + 1, action="generate", readers=[])
    return _run(command + ["rotate", "--json", "--", before["name"]])["secrets"][0]


def _run(command, value=None):
    try:
        child = subprocess.run(command, input=b"" if value is None else value, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise VaultFault("USAGE", "%s cannot be started: %s" % (command[0], error.strerror), "Install oxp-vault, or name it in OXP_VAULT_PROGRAM.") from None
    if child.returncode != 0:
        raise fault_of_exit(child.returncode, child.stderr)
    try:
        return json.loads(child.stdout.decode("utf-8"))
    except ValueError:
        raise VaultFault("INTERNAL", "oxp-vault gave an answer that this release of the collection does not understand") from None


def _tell(opening):
    """What is looked up from here on is what was sealed. An agent that does not answer learns of it by itself within a minute."""
    try:
        opening.refresh()
    except VaultFault as fault:
        Display().vv("oxp-vault: the agent was not told of what was sealed: %s" % fault)


def _shown(secret):
    return "" if secret is None else "%s v%d (%s)\n" % (secret["name"], secret["version"], secret["kind"])
