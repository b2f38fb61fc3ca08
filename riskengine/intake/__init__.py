"""From any file to incidents: CSV, formats, times, places, refusals; and what the data cannot carry."""
