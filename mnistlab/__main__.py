"""`python -m mnistlab`."""

from mnistlab.cli import entry

if __name__ == "__main__":
    entry()
