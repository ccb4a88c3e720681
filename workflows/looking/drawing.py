"""How much is drawn of a file. Apart, so that confined tools need not load what checks them."""

PAGES_AT_FIRST = 50
"""So many pages of a document are drawn at once, the others when somebody wants to see them."""
