"""XML of other programs, read without fetching anything."""

from typing import Any

from lxml import etree

from safelight.errors import NotMedia


def parsed(data: bytes, name: str) -> Any:
    """The root, which must be called `name`. Raises NotMedia."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotMedia(f"It is not well-formed XML: {error.msg}.", remedy="Export it anew.") from error
    found = str(root.tag)
    if found != name:
        raise NotMedia(f"It is XML of another kind ({found}).", remedy="Give it its right ending.")
    return root


def child(element: Any, name: str) -> Any:
    """The first child of this name, or None."""
    return element.find(name)
