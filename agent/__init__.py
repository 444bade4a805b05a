"""The agent: supervises devices, applies rules, keeps events safe and sends them to the hub."""
