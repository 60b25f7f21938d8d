"""Fixtures of the crash tests: phones, a configured installation, copies of it."""

from collections.abc import Iterator

import pytest

from tests.crash.phones import Phones, opened_phones
from tests.crash.systems import System, opened_system, opened_template

pytest.register_assert_rewrite("tests.crash.verdicts")  # so that a failure shows what differs


@pytest.fixture(scope="session")
def everybodys_phones() -> Iterator[Phones]:
    yield from opened_phones()


@pytest.fixture
def phones(everybodys_phones: Phones) -> Iterator[Phones]:
    """The phones, with nothing noted yet."""
    everybodys_phones.clear()
    yield everybodys_phones
    everybodys_phones.clear()


@pytest.fixture(scope="session")
def template(everybodys_phones: Phones) -> Iterator[System]:
    yield from opened_template(everybodys_phones.port)


@pytest.fixture
def system(template: System) -> Iterator[System]:
    """An installation with private PostgreSQL, configured and stopped."""
    yield from opened_system(template)
