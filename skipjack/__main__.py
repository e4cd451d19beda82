"""`python -m skipjack`."""

from skipjack.cli.main import main

raise SystemExit(main())
