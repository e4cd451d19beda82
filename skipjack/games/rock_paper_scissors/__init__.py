"""Rock-paper-scissors."""
