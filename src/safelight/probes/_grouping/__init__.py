"""How the probe `groups` thinks: clocks, runs, sweeps, look-alikes and scenes, each over arrays of the whole shoot."""
