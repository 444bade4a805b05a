"""The uplink: keeps the MQTT connection to the hub and drains the spool over it."""

from lamppost.agent.uplink.link import LinkError, LinkState, Removed
from lamppost.agent.uplink.settings import HubSettings
from lamppost.agent.uplink.uplink import Uplink

__all__ = ["HubSettings", "LinkError", "LinkState", "Removed", "Uplink"]
