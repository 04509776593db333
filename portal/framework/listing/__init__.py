"""The contractor list to look through: search, filters, distances, exports."""
