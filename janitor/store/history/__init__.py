"""The history over time: of one image, of the inputs of a run, and how long it is kept."""
