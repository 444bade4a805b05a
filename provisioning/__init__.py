"""The technician's tools: the command line and what stands behind it."""
