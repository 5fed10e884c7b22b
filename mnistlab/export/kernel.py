"""Sums of products in WebAssembly, which the JavaScript of a page calls: most of the work of a net.

The module has two functions, `one` for a single place and `four` for places four at a time. Each works out, in float64,
four channels of each of its places at once: a start, and the taps of the place times the weights of the channels.
Tables say where everything stands, in bytes: convolutions of any kind and matrix products are the same then.
Source of the codes: WebAssembly Core Specification 2.0, sections 5.4 and 5.5.
"""

from collections.abc import Iterable, Sequence

_PARAMETERS = (
    "from", "to", "places", "places_end", "targets", "channels", "channels_end", "taps", "taps_end", "weights",
)  # fmt: skip
_VECTOR, _I32 = 0x7B, 0x7F
_LANES = range(4)


def kernel() -> bytes:
    """The module; it takes its memory as `page.memory`."""
    functions = {"one": _function(1), "four": _function(4)}
    types = [[0x60, *_listed([[_I32]] * len(_PARAMETERS)), 0]]
    imports = [[*_named("page"), *_named("memory"), 0x02, 0x00, 0x00]]
    exports = [[*_named(name), 0x00, number] for number, name in enumerate(functions)]
    code = [[*_whole(len(body)), *body] for body in functions.values()]
    sections = {1: types, 2: imports, 3: [[0]] * len(functions), 7: exports, 10: code}
    parts = ([number, *_listed(each)] for number, each in sections.items())
    return b"\0asm\1\0\0\0" + bytes(_joined([number, *_whole(len(body)), *body] for number, *body in parts))


def _function(rows: int) -> list[int]:
    """For as many places at once: locals and code."""
    counters = ["channel", "place", "target", "tap", "weight", "at", *(f"row{row}" for row in range(rows))]
    vectors = ["first", "second", "value", *(f"sum{row}{half}" for row in range(rows) for half in "ab")]
    names = [*_PARAMETERS, *counters, *vectors]

    def get(name: str) -> list[int]:
        return [0x20, names.index(name)]

    def put(name: str, *code: Sequence[int]) -> list[int]:
        return [*_joined(code), 0x21, names.index(name)]

    def moved(name: str, step: int) -> list[int]:
        return put(name, get(name), [0x41, step], _ADD)

    def until(name: str, end: str, *code: Sequence[int]) -> list[int]:
        return [0x03, 0x40, *_joined(code), *get(name), *get(end), 0x49, 0x0D, 0x00, 0x0B]

    def pair(at: int) -> list[int]:
        return [*get("weight"), *_WIDE, *_whole(at), *_PROMOTE]

    def summed(row: int, half: str, factor: str) -> list[int]:
        return put(f"sum{row}{half}", get(f"sum{row}{half}"), get("value"), get(factor), _TIMES, _PLUS)

    def stored(row: int, lane: int) -> list[int]:
        place = [*get("to"), *get("target"), *_load(4 * row), *_ADD, *get("channel"), *_load(4 * lane), *_ADD]
        return [*place, *get(f"sum{row}{'ab'[lane // 2]}"), 0xFD, 0x21, lane % 2, 0xB6, 0x38, 0x02, 0x00]

    turn = [
        *put("first", pair(0)), *put("second", pair(8)), *put("at", get("tap"), _load(0)),
        *_joined(
            [
                *put("value", get(f"row{row}"), get("at"), _ADD, _SPLAT, _PROMOTE),
                *summed(row, "a", "first"), *summed(row, "b", "second"),
            ]
            for row in range(rows)
        ),
        *moved("weight", 16), *moved("tap", 4),
    ]  # fmt: skip
    places = [
        *put("weight", get("weights")),
        *_joined(put(f"row{row}", get("place"), _load(4 * row), get("from"), _ADD) for row in range(rows)),
        *_joined([*put(f"sum{row}a", pair(0)), *put(f"sum{row}b", pair(8))] for row in range(rows)),
        *moved("weight", 16), *put("tap", get("taps")), *until("tap", "taps_end", turn),
        *_joined(stored(row, lane) for row in range(rows) for lane in _LANES),
        *moved("place", 4 * rows), *moved("target", 4 * rows),
    ]  # fmt: skip
    channels = [
        *put("place", get("places")), *put("target", get("targets")), *until("place", "places_end", places),
        *put("weights", get("weight")), *moved("channel", 16),
    ]  # fmt: skip
    code = [*put("channel", get("channels")), *until("channel", "channels_end", channels), 0x0B]
    return [*_listed([[len(counters), _I32], [len(vectors), _VECTOR]]), *code]


_ADD = [0x6A]
_SPLAT = [0xFD, 0x09, 0x02, 0x00]  # one float32 into all lanes
_WIDE = [0xFD, 0x5D, 0x02]  # two float32, at an offset
_PROMOTE = [0xFD, 0x5F]  # two float32 as float64
_TIMES, _PLUS = [0xFD, 0xF2, 0x01], [0xFD, 0xF0, 0x01]


def _load(offset: int) -> list[int]:
    return [0x28, 0x02, *_whole(offset)]


def _joined(parts: Iterable[Sequence[int]]) -> list[int]:
    return [each for part in parts for each in part]


def _whole(number: int) -> list[int]:
    """A number in as many bytes of seven bits as it needs (LEB128)."""
    high, low = divmod(number, 0x80)
    return [low | 0x80, *_whole(high)] if high else [low]


def _named(name: str) -> list[int]:
    return [len(name), *name.encode()]


def _listed(parts: Sequence[Sequence[int]]) -> list[int]:
    return [*_whole(len(parts)), *_joined(parts)]
