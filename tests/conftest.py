"""
Fixtures for all tests, and the hooks by which the canary harness surrounds each of them.
"""

import warnings
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from privkit.testing.canaries import Finding
from tests.harness import SOURCE, Harness, privkit_raises, unreached
from tests.needs import IN_CI, data_folder, vectors_folder
from tests.postgres import postgres

HARNESS = Harness()
FINDINGS: list[Finding] = []


@pytest.fixture(scope="session")
def vectors() -> Path:
    """
    The folder with the test vectors of other projects.
    """
    return vectors_folder()


@pytest.fixture(scope="session")
def data() -> Path:
    """
    The folder with real tables.
    """
    return data_folder()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """
    A PostgreSQL server for the whole run, as a URL of SQLAlchemy's.
    """
    with postgres() as url:
        yield url


def pytest_configure() -> None:
    """
    Put the harness in place before any test is imported.
    """
    HARNESS.install()


def pytest_runtest_setup() -> None:
    """
    Start each test with nothing collected.
    """
    HARNESS.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """
    Fail a test in which a canary came out.
    """
    report = yield
    if call.when == "call":
        exempt = item.get_closest_marker("prints_canaries")
        printed = "" if exempt else report.capstdout + report.capstderr
        found = HARNESS.search(printed=printed)
        HARNESS.clear()
        if found:
            FINDINGS.extend(found)
            if report.passed:
                report.outcome = "failed"
                report.longrepr = "canaries came out:\n" + "\n".join(map(str, found))
    return report


def pytest_warning_recorded(warning_message: warnings.WarningMessage, nodeid: str) -> None:
    """
    Search each warning.
    """
    text = str(warning_message.message)
    FINDINGS.extend(HARNESS.everything.find(text, f"warning in {nodeid}"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """
    Fail a whole run in CI that has not seen every error of the source at work.
    """
    if FINDINGS or (IN_CI and is_whole(session.config) and unreached(HARNESS.sites)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """
    Say what the harness has seen.
    """
    line = terminalreporter.write_line
    line(f"canaries: {HARNESS.errors_made} errors searched, {len(FINDINGS)} findings")
    if is_whole(config):
        missing = unreached(HARNESS.sites)
        verdict = ", so the run fails" if missing and IN_CI else ""
        line(f"raises: {len(privkit_raises())} in the source, {len(missing)} not reached{verdict}")
        for path, number in missing if IN_CI else ():
            line(f"  {Path(path).relative_to(SOURCE.parent)}:{number}")


def is_whole(config: pytest.Config) -> bool:
    """
    Tell whether the run is of the whole suite.
    """
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
