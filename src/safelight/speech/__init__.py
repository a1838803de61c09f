"""Speech: where somebody speaks, which words, when, who; and where it is silent.

Everything here hears mono samples at 16 kHz (float32, ±1) and counts seconds from the first of them.
"""
