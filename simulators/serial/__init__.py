"""Simulated serial sensors that speak no Modbus, on ptys."""

from lamppost.simulators.serial.line import SerialLine, serve_serial
from lamppost.simulators.serial.sensors import SENSORS, Sensor, UnknownSensorError, sensor

__all__ = ["SENSORS", "Sensor", "SerialLine", "UnknownSensorError", "sensor", "serve_serial"]
