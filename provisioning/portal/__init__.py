"""The page on the technician's phone or laptop."""
