"""From which chance on a finding wants a look, or fails: the bench's word until a studio's own answers say otherwise.

People answer only findings that were raised, so nothing is known of chances below the present threshold: answers can
raise a threshold, never lower it. Pure.
"""

from collections.abc import Sequence

FEWEST, FEWEST_EACH = 20, 5  # answers, and of each kind, before the bench's thresholds give way
PRECISION = 0.9  # of what fails, this share shall be faults in the studio's eyes
MISSED = 0.05  # of the faults, at most this share may fall below a look
HIGHEST = 0.995  # a threshold above would switch the finding off


def thresholds(answers: Sequence[tuple[float, bool]], *, look: float, fail: float) -> tuple[float, float]:
    """(look, fail) after answers (chance that was told, whether a person called it a fault), with look <= fail.

    Shares are the means of Beta posteriors with a uniform prior, so that few answers move little."""
    faults = sorted(chance for chance, fault in answers if fault)
    others = sorted(chance for chance, fault in answers if not fault)
    if len(answers) < FEWEST or min(len(faults), len(others)) < FEWEST_EACH:
        return look, fail
    steps = sorted({fail, *(min(chance, HIGHEST) for chance in (*faults, *others) if chance > fail)})
    failing = next((t for t in steps if _share(_from(faults, t), _from(others, t)) >= PRECISION), HIGHEST)
    looks = [look, *(chance for chance in (*faults, *others) if look < chance <= failing)]
    held = [t for t in looks if _share(len(faults) - _from(faults, t), _from(faults, t)) <= MISSED]
    return max([look, *held]), failing


def _from(chances: Sequence[float], threshold: float) -> int:
    return sum(chance >= threshold for chance in chances)


def _share(of: int, others: int) -> float:
    return (of + 1) / (of + others + 2)
