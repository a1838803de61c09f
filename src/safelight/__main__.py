"""`python -m safelight` is the command line."""

from safelight.cli import main

if __name__ == "__main__":  # worker processes import this module too
    main()
