"""The record of what was decided, sent, filled and commanded; one file, or a PostgreSQL database."""
