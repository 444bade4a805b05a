"""The city side: an MQTT broker, and a hub that reads all that nodes send and misses nothing.

async with Broker() as broker, Hub(broker.url, protocol=broker.protocol) as hub:
    ...                                   # the product publishes to broker.url
    await hub.until(lambda: hub.book.events)
    assert hub.book.totals().lost == 0
"""

from lamppost.simulators.hub.book import Book, Entry, Gap, Kept, Totals
from lamppost.simulators.hub.broker import Broker, BrokerError, Tls, free_port
from lamppost.simulators.hub.decode import decode
from lamppost.simulators.hub.gallery import Gallery
from lamppost.simulators.hub.hub import Hub, NeverHappenedError
from lamppost.simulators.hub.letters import (
    LANES,
    BadLetter,
    EventLetter,
    Letter,
    Mail,
    Node,
    PictureLetter,
    Sequence,
    StatusLetter,
    TelemetryLetter,
)
from lamppost.simulators.hub.schema import Schemas
from lamppost.simulators.hub.senml import PackError, Record, resolve

__all__ = [
    "LANES",
    "BadLetter",
    "Book",
    "Broker",
    "BrokerError",
    "Entry",
    "EventLetter",
    "Gallery",
    "Gap",
    "Hub",
    "Kept",
    "Letter",
    "Mail",
    "NeverHappenedError",
    "Node",
    "PackError",
    "PictureLetter",
    "Record",
    "Schemas",
    "Sequence",
    "StatusLetter",
    "TelemetryLetter",
    "Tls",
    "Totals",
    "decode",
    "free_port",
    "resolve",
]
