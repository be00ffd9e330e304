"""What is published: images in their registry and the signatures attached to them, asked anonymously.

`port` says what a check may ask, `live` asks a real registry and the real `cosign`. Nothing is imported
for it, and nothing leaves this machine, before a check of the network half asks.
"""

from workshop.network.live import LiveNetwork
from workshop.network.port import Image, Network, NoRegistry, Signatures, Verification

__all__ = ["Image", "LiveNetwork", "Network", "NoRegistry", "Signatures", "Verification"]
