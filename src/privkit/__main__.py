"""
``python -m privkit`` is the ``privkit`` command.
"""

import sys

from privkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
