"""Names and ids of images: how they are spelled, compared and found in what others write."""
