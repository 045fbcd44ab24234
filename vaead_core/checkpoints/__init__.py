"""The checkpoint folder: what it holds, how it is read, checked, packed and replaced."""
