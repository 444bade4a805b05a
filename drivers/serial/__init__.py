"""Serial sensors that speak no Modbus: their frames, found behind any noise."""
