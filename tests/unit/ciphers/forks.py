"""
A child process.
"""

import os


def in_child(work):
    """
    Return the bytes that *work* returns in a forked child.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work())
        finally:
            # Not sys.exit: the child shares the test run's hooks and must not run them.
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result
