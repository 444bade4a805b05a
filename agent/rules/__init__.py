"""Rules: what turns samples into events. Found by entry point, loaded only when configured."""
