import sys

from literatim.cli import main

sys.exit(main())
