"""What everything stands on: errors, the context of a job, files that are whole or absent, large arrays."""
