"""Repair of sound: noise under speech, hum, clicks, clipped peaks. Blocks of samples in, the same number out."""
