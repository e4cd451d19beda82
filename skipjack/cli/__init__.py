"""The command line: a dispatcher and one small module a command, each loading what it runs."""
