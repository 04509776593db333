"""A contractor's own pages and what they change: account, details, availability, applications."""
