"""Reading what people write: quantities, headings, lists and tables in French or English Markdown."""
