# SPDX-License-Identifier: Apache-2.0
"""tap.py: functions as points of a TAP test: a docstring each, an assertion that fails, or the
reason for which it was left out as what it returns.
"""
import os
import shutil
import subprocess
import sys

FAULTS = (AssertionError, LookupError, AttributeError, TypeError, ValueError, OSError,
          subprocess.SubprocessError)


def why_not(test, *arguments):
    """(reason to skip or None, why it failed or None)"""
    try:
        return test(*arguments), None
    except FAULTS as error:
        return None, (str(error) or repr(error))[:3000]


def point(number, name, skipped=None, why=None):
    """True: it failed."""
    print(f"{'ok' if why is None else 'not ok'} {number} - {name}"
          f"{' # SKIP ' + skipped if skipped else ''}", flush=True)
    for line in (why or "").splitlines():
        print("# " + line, flush=True)
    return why is not None


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    return skip_status()


def skip_status():
    """Of a seeded bug, 0 would look like a pass."""
    return int(os.environ.get("CAISSON_SKIP_STATUS", "0"))


def held_by_modes():
    """What goes before a command that is to be held back by modes of files, as root is not; None:
    that cannot be had."""
    if os.geteuid() != 0:
        return ()
    dropped = "-dac_override,-dac_read_search"
    return ("setpriv", "--bounding-set", dropped, "--inh-caps", dropped) \
        if shutil.which("setpriv") else None


def chosen(tests, at):
    """All, or the one that the argument at that place names: its function is test_NAME."""
    part = sys.argv[at] if len(sys.argv) > at else ""
    return [test for test in tests if part in ("", test.__name__[5:])]


def run(tests, *arguments, more=0):
    """The exit status. more: points that the caller adds."""
    print(f"1..{len(tests) + more}", flush=True)
    failed, left_out = 0, 0
    for number, test in enumerate(tests, 1):
        skipped, why = why_not(test, *arguments)
        left_out += skipped is not None
        failed += point(number, test.__doc__, skipped, why)
    return 1 if failed else skip_status() if left_out == len(tests) else 0
