"""Running recipes: the Lightning CLI behind a paper's name, run folders, resuming, records."""
