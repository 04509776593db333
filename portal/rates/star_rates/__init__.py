"""Agreed rates for what is not in a schedule: proposed by one person, approved by another."""
