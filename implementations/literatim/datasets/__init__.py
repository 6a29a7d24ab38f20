"""Data modules: small sets in memory, photographs from disk. `literatim.registry.data` lists them without torch."""
