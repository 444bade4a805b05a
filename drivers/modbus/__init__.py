"""Modbus over TCP, serial RTU and RTU over TCP."""

from lamppost.drivers.modbus.driver import Modbus

__all__ = ["Modbus"]
