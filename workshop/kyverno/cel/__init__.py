"""CEL: expressions read, checked and evaluated by Google's library, and the policies written in them."""
