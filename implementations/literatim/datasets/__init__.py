"""Data modules: real data in memory, batched there. `literatim.registry.data` lists them without torch."""
