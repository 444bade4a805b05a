"""1-Wire thermometers (DS18B20) of a Linux box, through the files of the kernel's w1_therm driver."""

from lamppost_w1.driver import W1Thermometer

__all__ = ["W1Thermometer"]
