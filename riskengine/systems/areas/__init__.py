"""Area hotspots: the published study of London, and what each of its leaks is worth."""
