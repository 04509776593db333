"""Price reviews: an index or a contractor's request becomes a new edition that a second person approves."""
