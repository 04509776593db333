"""Who is on the list: applications, standings, ranks, and lists that come in from files."""
