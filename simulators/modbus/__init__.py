"""Simulated Modbus devices on simulated lines.

Make units with `device` or `Unit`, put them on a line, and change or spoil them while it runs::

    meter = device("eastron-sdm120", unit=1)
    async with serve_tcp([meter]) as line:  # the product talks to 127.0.0.1:line.port
        meter.set("voltage", 265.0)
        meter.faults.add(Fault.no_answer(times=3))
"""

from lamppost.simulators.faults import Fault, Faults, Kind
from lamppost.simulators.modbus.devices import UnknownDeviceError, device, generic, names
from lamppost.simulators.modbus.line import Exchange, ModbusLine
from lamppost.simulators.modbus.points import Point
from lamppost.simulators.modbus.pty import PtyLine, serve_rtu_pty
from lamppost.simulators.modbus.server import TcpLine, serve_rtu_tcp, serve_tcp
from lamppost.simulators.modbus.unit import Unit

__all__ = [
    "Exchange",
    "Fault",
    "Faults",
    "Kind",
    "ModbusLine",
    "Point",
    "PtyLine",
    "TcpLine",
    "Unit",
    "UnknownDeviceError",
    "device",
    "generic",
    "names",
    "serve_rtu_pty",
    "serve_rtu_tcp",
    "serve_tcp",
]
