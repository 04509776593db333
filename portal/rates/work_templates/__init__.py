"""Templates of works: the usual items of a kind of works, to fill a specification with."""
