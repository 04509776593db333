"""Prices compared with others like them: benchmark, arithmetic, files in, documents, charts and reports out."""
