"""Drivers: one class for each kind of device, found by entry point, loaded only when configured."""
