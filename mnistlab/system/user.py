"""Who runs this."""

import getpass


def current_user() -> str | None:
    """Who runs this; None where neither the environment nor the system has a name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the version of Python
        return None
