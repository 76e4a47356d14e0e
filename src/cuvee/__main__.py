"""``python -m cuvee``."""

from cuvee.cli.main import main

main()
