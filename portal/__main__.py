"""``python -m portal``: the same as ``portal``."""

from portal.cli import main

main()
