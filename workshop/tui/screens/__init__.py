"""One module per screen, each beside its stylesheet."""
