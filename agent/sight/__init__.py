"""Sight: from a camera's frame to what the rules see in it. Loaded only where a camera is configured."""
