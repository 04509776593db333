"""Specification, allocation, offers and fallback: from a job to an order that a contractor accepted."""
