"""Serial sensors that speak no Modbus: their frames, found behind any noise."""

from lamppost.drivers.serial.driver import Serial

__all__ = ["Serial"]
