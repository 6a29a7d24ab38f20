import sys

if not sys.flags.safe_path:
    del sys.path[0]  # `python -m` puts the current folder there, whose files are not to be imported

from literatim.cli import run

run()
