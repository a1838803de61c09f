"""From verdicts to trust: pure functions, seeded."""
