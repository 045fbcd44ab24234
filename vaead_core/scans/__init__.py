"""A scan's road in and out: files, geometry, registration, preprocessing, the atlas. No model knows it."""
