"""What can go wrong, as one tree. Each error says the cause with the offending value, the remedy, and has a code.

    SafelightError
    ├── UsageError            exit 2   wrong command line, settings or policy
    ├── NothingFound          exit 3   no readable media
    ├── Refused               exit 4   the gate holds a delivery or a check back
    ├── LibraryError          exit 5   the studio library is damaged, locked or in a wrong place
    └── MediaError            -        one file cannot be read or written; becomes evidence, never stops a run
        ├── Truncated                  the file ends early
        ├── NotMedia                   the bytes are not what the name says
        ├── Unsupported                no decoder here
        ├── Unreadable                 the system does not let us read it, or it has vanished
        ├── TooLarge                   more pixels or more memory than are allowed
        ├── TooSlow                    no answer within the time that is allowed
        └── Crashed                    the process that worked on it died

`docs/errors.md` has a section for every code; a test compares the two.
"""

from typing import ClassVar


class SafelightError(Exception):
    """Root of the tree. `cause` names what happened, `remedy` what one can do about it."""

    code: ClassVar[str] = "error"
    exit: ClassVar[int] = 1

    def __init__(self, cause: str, *, remedy: str = "") -> None:
        super().__init__(f"{cause} {remedy}".strip())
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; the default would lose the keyword.
        return _rebuild, (type(self), self.cause, self.remedy)


def _rebuild(kind: type[SafelightError], cause: str, remedy: str) -> SafelightError:
    return kind(cause, remedy=remedy)


class UsageError(SafelightError):
    """The command line, a setting or the policy cannot be understood."""

    code = "usage"
    exit = 2


class NothingFound(SafelightError):
    """There is nothing to work on."""

    code = "nothing-found"
    exit = 3


class Refused(SafelightError):
    """The gate does not let this through."""

    code = "refused"
    exit = 4


class LibraryError(SafelightError):
    """The studio library cannot be used."""

    code = "library"
    exit = 5


class MediaError(SafelightError):
    """One file cannot be used; the run goes on."""

    code = "media"


class Truncated(MediaError):
    """The file ends early."""

    code = "media-truncated"


class NotMedia(MediaError):
    """The bytes are not a picture, clip or sound that the name promises."""

    code = "media-not-media"


class Unsupported(MediaError):
    """The format is known and cannot be decoded here."""

    code = "media-unsupported"


class Unreadable(MediaError):
    """The file cannot be opened, or has vanished."""

    code = "media-unreadable"


class TooLarge(MediaError):
    """The picture has more pixels, or needs more memory, than are allowed."""

    code = "media-too-large"


class TooSlow(MediaError):
    """The file was not done with within the time that is allowed."""

    code = "media-too-slow"


class Crashed(MediaError):
    """The process that worked on the file died."""

    code = "media-crashed"
