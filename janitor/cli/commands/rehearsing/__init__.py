"""Commands that try policies without a cloud, on what was recorded or on images that people write down."""
