"""Looks for what hangs on a box. Reads only, one line at a time; never writes to a device."""

from lamppost.provisioning.scan.cameras import discover, scan_cameras, usb_cameras
from lamppost.provisioning.scan.found import Found, Progress
from lamppost.provisioning.scan.listening import ask_for_meter, listen
from lamppost.provisioning.scan.modbus import scan_line, scan_tcp
from lamppost.provisioning.scan.ports import SerialPort, local_hosts, serial_ports
from lamppost.provisioning.scan.whole_port import scan_port

__all__ = [
    "Found",
    "Progress",
    "SerialPort",
    "ask_for_meter",
    "discover",
    "listen",
    "local_hosts",
    "scan_cameras",
    "scan_line",
    "scan_port",
    "scan_tcp",
    "serial_ports",
    "usb_cameras",
]
