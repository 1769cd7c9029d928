"""``mclas app``: a page on loopback on which texts are summarized."""
