"""Measurements as ratios, each taken in one run on one machine: ``make bench``."""
