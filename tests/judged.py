"""What a person says of the clip of a shoot."""

from safelight import verdicts
from safelight.domain import Say
from safelight.verdicts import Saying


def the_clip(library, folder, *, path="talk.wav"):
    return library.state(folder).clips[path]


def say(library, folder, operator, what=Say.APPROVE, *, path="talk.wav", **more):
    """Ada's verdict on what an operator did to the clip."""
    state = library.state(folder)
    saying = Saying(say=what, by="Ada", operators=(operator,), **more)
    assert verdicts.decide(library.store, state, [state.clips[path]], saying).verdicts
