"""Every live check under every fault: a proxy that spoils answers stands before the real API server."""
