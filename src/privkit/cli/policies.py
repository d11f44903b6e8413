"""
``privkit explain``, ``privkit diff`` and ``privkit schema``.
"""

import argparse
import json


def explain(options: argparse.Namespace) -> int:
    """
    Print what a policy does to each field.
    """
    from privkit.policy.model import Policy

    print(Policy.load(options.policy).explain())
    return 0


def diff(options: argparse.Namespace) -> int:
    """
    Print how two policies differ; 1 if they do, as ``diff`` has it.
    """
    from privkit.policy.model import Policy

    difference = Policy.load(options.old).diff(Policy.load(options.new))
    if not difference:
        return 0
    print(difference)
    return 1


def schema(_options: argparse.Namespace) -> int:
    """
    Print the JSON Schema of policy files.
    """
    from privkit.policy.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
