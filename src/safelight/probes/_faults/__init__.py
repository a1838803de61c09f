"""Faults of picture and sound: what is measured frame by frame and block by block, and which spans of it are faults."""
