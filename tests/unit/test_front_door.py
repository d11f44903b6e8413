"""What `import privkit` offers."""

import subprocess
import sys

import pytest

import privkit


class TestNames:
    def test_lists_what_it_offers(self):
        """The names of the package are those of `__all__`, and each is there."""
        assert privkit.__all__ == dir(privkit)
        assert all(getattr(privkit, name).__name__ == name for name in privkit.__all__)

    def test_other_names_are_an_error(self):
        """A name that is not offered is an error as in any module."""
        with pytest.raises(AttributeError, match="module 'privkit' has no attribute 'Tokn'"):
            privkit.Tokn  # noqa: B018

    def test_a_name_costs_what_it_needs(self):
        """Asking for one name imports its room and not the others."""
        script = (
            "import sys, privkit; privkit.Token; "
            "print('privkit.transforms.token' in sys.modules, 'privkit.authority' in sys.modules)"
        )
        told = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )

        assert "True False" == told.stdout.strip()
