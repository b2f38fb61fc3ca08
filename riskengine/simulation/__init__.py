"""A seeded city with the incidents, the dirt and the rhythms of real police files."""
