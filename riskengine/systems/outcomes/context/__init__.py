"""What is known beside each incident: rows of any table joined by date, hour, key or location; no incident is lost."""
