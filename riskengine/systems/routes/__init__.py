"""Ways that pass less reported crime: exposure of streets, the exact front of length and exposure, and its test."""
