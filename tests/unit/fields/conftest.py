"""
Databases to re-key in.
"""

import itertools

import pytest
import sqlalchemy as sa

NUMBERS = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """
    The URL of an empty database, of each kind.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'clinic.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"clinic{next(NUMBERS)}"
    administration = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield server.replace("/postgres?", f"/{name}?")
    with administration.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


@pytest.fixture
def engine(url):
    """
    An engine on an empty database, of each kind.
    """
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
