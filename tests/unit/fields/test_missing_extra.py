import importlib
import sys

import pytest

from privkit.errors import MissingExtraError


def test_tables_need_sqlalchemy(monkeypatch):
    """Without SQLAlchemy the module says which extra brings it."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "privkit.fields.rekey_table", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        importlib.import_module("privkit.fields.rekey_table")

    assert "sqlalchemy" == caught.value.extra
