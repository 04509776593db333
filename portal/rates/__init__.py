"""The schedule of rates: editions, items, their import, and what a line costs."""
