import json
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import params
from safelight.errors import UsageError
from safelight.operators import template
from safelight.params import declare


class Way(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True)
class Part:
    at: Fraction = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class Everything:
    ev: float = declare(0.0, low=-5, high=5, step=0.05, unit="EV", help="brightness in stops")
    count: int = declare(0, low=0)
    on: bool = False
    name: str = ""
    way: Way = Way.UP
    at: Fraction = Fraction(1001, 30000)
    gains: tuple[float, float, float] = declare((1.0, 1.0, 1.0), low=0.1, high=10)
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    limit: float | None = None


def test_defaults_as_json():
    assert params.to_json(Everything()) == {
        "ev": 0.0, "count": 0, "on": False, "name": "", "way": "up", "at": "1001/30000", "gains": [1.0, 1.0, 1.0],
        "names": [], "parts": [], "limit": None,
    }  # fmt: skip


@settings(max_examples=40)
@given(
    st.builds(
        Everything,
        ev=st.floats(-5, 5),
        count=st.integers(0, 10**9),
        on=st.booleans(),
        name=st.text(),
        way=st.sampled_from(Way),
        at=st.fractions(),
        gains=st.tuples(*[st.floats(0.1, 10)] * 3),
        names=st.lists(st.text()).map(tuple),
        parts=st.lists(st.builds(Part, at=st.fractions())).map(tuple),
        limit=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_params_survive_json(value):
    assert params.from_json(Everything, json.loads(json.dumps(params.to_json(value)))) == value


def test_fields_left_out_keep_their_defaults():
    assert params.from_json(Everything, {"ev": 1}) == Everything(ev=1.0)
    assert type(params.from_json(Everything, {"ev": 1}).ev) is float


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"evv": 1}, "no field 'evv'"),
        ({"ev": "1"}, "ev must be a finite number, not '1'"),
        ({"ev": True}, "ev must be a finite number"),
        ({"ev": float("nan")}, "finite"),
        ({"ev": float("inf")}, "finite"),
        ({"ev": 5.5}, "ev must lie in -5 to 5 EV, not 5.5"),
        ({"count": -1}, "count must lie in 0 to ∞, not -1"),
        ({"count": 1.0}, "count must be a whole number"),
        ({"count": True}, "count must be a whole number"),
        ({"on": 1}, "on must be true or false"),
        ({"name": None}, "name must be a text"),
        ({"way": "left"}, "one of 'up', 'down', not 'left'"),
        ({"at": 0.5}, "exact number such as '1001/30000', not 0.5"),
        ({"at": "1/0"}, "exact number"),
        ({"at": "soon"}, "exact number"),
        ({"gains": [1, 1]}, "gains must hold 3 values, not 2"),
        ({"gains": [1, 1, "x"]}, r"gains\[2\] must be a finite number"),
        ({"gains": [1, 1, 11]}, "gains must lie in 0.1 to 10, not 11"),
        ({"gains": 1}, "gains must be a list"),
        ({"names": "ab"}, "names must be a list"),
        ({"parts": [{"att": "1"}]}, "Part has no field 'att'"),
        ({"parts": [3]}, "must be an object, not 3"),
        ({"limit": "none"}, "limit must be a finite number"),
        ([1], "must be an object"),
    ],
)
def test_wrong_json_says_what_is_wrong(data, message):
    with pytest.raises(UsageError, match=message):
        params.from_json(Everything, data)


def test_error_of_the_dataclass_itself_becomes_a_wrong_usage():
    @dataclass(frozen=True, kw_only=True)
    class Picky:
        n: int = 0

        def __post_init__(self):
            if self.n == 13:
                raise ValueError("thirteen is taken")

    with pytest.raises(UsageError, match="Picky: thirteen is taken"):
        params.from_json(Picky, {"n": 13})


def test_schema_states_types_bounds_and_help():
    schema = params.schema(Everything)
    assert schema["additionalProperties"] is False
    fields = schema["properties"]
    assert fields["ev"] == {
        "type": "number", "minimum": -5, "maximum": 5, "step": 0.05, "unit": "EV", "default": 0.0,
        "description": "brightness in stops",
    }  # fmt: skip
    assert fields["way"] == {"enum": ["up", "down"], "default": "up"}
    assert fields["gains"]["prefixItems"][0] == {"type": "number", "minimum": 0.1, "maximum": 10}
    assert fields["names"] == {"type": "array", "items": {"type": "string"}, "default": []}
    assert fields["limit"]["anyOf"] == [{"type": "number"}, {"type": "null"}]
    assert fields["parts"]["items"]["properties"]["at"]["default"] == "0/1"
    assert json.loads(json.dumps(schema)) == schema


def test_values_without_a_plain_form_are_refused():
    with pytest.raises(TypeError, match="set"):
        params.to_json(Everything(name={1}))


def test_identity_of_an_operator():
    assert params.identity(template.operator) == template.TemplateParams(strength=0.0)
