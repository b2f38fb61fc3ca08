"""Early warning: the published detector on pictures, shown for what it is, and warnings that come before the event."""
