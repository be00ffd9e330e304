"""Parts of screens: attributes go down into them, messages come up."""
