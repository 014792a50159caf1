# -*- coding: utf-8 -*-
# Copyright (c) The oxp-vault authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
# SPDX-License-Identifier: Apache-2.0
"""
Which vault is meant, as far as that shows without opening it: enough to know the agent of that vault when it is met. What is
not known here only means that an agent is started, and the command finds and checks everything by itself.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

import yaml

CONFIG_FILE = "oxp-vault.yaml"
DEFAULT_BRANCH = "#oxp-vault"


class Meant(object):
    """A vault by its address, its id, both or neither."""

    def __init__(self, address, expect):
        self.address = address
        self.id = None if expect is None else expect.split("@")[0]

    def is_served_by(self, status):
        """True where this is the vault of an agent with that status; None where nothing tells."""
        if self.id is not None:
            return status["vault"] == self.id
        if self.address is None:
            return None
        return _spelling(self.address) == _spelling(status["address"])


def meant_vault(vault, expect):
    """By the options, else by the nearest oxp-vault.yaml, else by the nearest directory that is one or holds one."""
    if vault is not None:
        return Meant(normal_address(vault, os.getcwd()), expect)
    for directory in _upwards(os.getcwd()):
        config = os.path.join(directory, CONFIG_FILE)
        if os.path.isfile(config):
            named, pinned = _read_config(config)
            return Meant(named, expect or pinned)
    for directory in _upwards(os.getcwd()):
        for candidate in (directory, os.path.join(directory, "vault")):
            if os.path.isfile(os.path.join(candidate, "log", "checkpoint")):
                return Meant(candidate, expect)
    return Meant(None, expect)


def normal_address(text, base):
    """A directory as an absolute path; another kind of address as it is."""
    if text.startswith("git+") or text.startswith("s3://"):
        return text
    return os.path.normpath(os.path.join(base, os.path.expanduser(text)))


def _spelling(address):
    if address.startswith("git+"):
        return address[: -len(DEFAULT_BRANCH)] if address.endswith(DEFAULT_BRANCH) else address
    return os.path.realpath(address) if os.path.isabs(address) else address


def _read_config(path):
    """The address and the expected line; nothing from a file that the command would refuse, and then says why."""
    if os.lstat(path).st_uid not in (os.getuid(), 0):
        return None, None
    try:
        with open(path, "rb") as file:
            config = yaml.safe_load(file)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None, None
    if not isinstance(config, dict) or not isinstance(config.get("vault"), str):
        return None, None
    expect = config.get("expect")
    # `git+.` is a place that only the command resolves.
    address = None if config["vault"].startswith("git+.") else normal_address(config["vault"], os.path.dirname(path))
    return address, expect if isinstance(expect, str) else None


def _upwards(start):
    directory = os.path.abspath(start)
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent
