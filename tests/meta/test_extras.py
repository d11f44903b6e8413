"""
A library that is not installed is one clear sentence with the command that installs it.
"""

import tomllib

import pytest

from tests.meta.fresh import run
from tests.needs import REPOSITORY

BLOCKED = {
    "yaml": ("yaml", "from privkit import Policy; Policy.load('policy.yaml')"),
    "keyring": (
        "keyring",
        "from privkit.keys.os_keyring import KeyringKeys; KeyringKeys().keyset('default')",
    ),
    "progress": (
        "rich",
        """
from privkit.cli.main import main
sys.exit(main(['apply', '--progress', 'policy.json', 'in.csv', 'out.csv']))
""",
    ),
    "sqlalchemy": ("sqlalchemy", "import privkit.fields.rekey_table"),
}
EXTRAS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]


@pytest.mark.parametrize("extra", BLOCKED)
def test_a_missing_extra_names_its_cure(extra, tmp_path):
    """
    Without its library, an optional part says which extra of which distribution to install.
    """
    module, use = BLOCKED[extra]
    (tmp_path / "policy.yaml").write_text("name: p\nversion: 1\nfields: {a: keep}\n")
    (tmp_path / "policy.json").write_text('{"name": "p", "version": 1, "fields": {"a": "keep"}}')
    (tmp_path / "in.csv").write_text("a\n1\n")
    code = f"import os, sys; os.chdir({str(tmp_path)!r}); sys.modules[{module!r}] = None\n{use}"
    done = run(code, check=False)

    assert 0 != done.returncode
    assert f"pip install 'privkit-sdk[{extra}]'" in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "out.csv").exists()


def test_each_extra_is_tried():
    """
    No extra is without its test.
    """
    assert set(EXTRAS) - {"all"} == set(BLOCKED)
