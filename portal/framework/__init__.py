"""The contractor list: frameworks, lots, members, their documents and capacity."""
