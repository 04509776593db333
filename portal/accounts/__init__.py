"""People, the organisations they work for, how they sign in, and what each role may do."""
