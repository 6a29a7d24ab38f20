"""The generated pages: real Markdown files, made from cards, claims, records, sources and facts. No torch."""
