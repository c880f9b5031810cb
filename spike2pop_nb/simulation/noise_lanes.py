"""Noise of a whole tile in vector registers: what `one_by_one.draw_noise` draws for each lane.

Numbers that are written one by one and read as a vector at once wait for the memory in between, which takes
longer than computing them. So they stay in registers from the hash of a seed to the filtered current.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from spike2pop_nb.simulation.lanes import COLUMNS, CONTRACT, LANES, data_of, joined, lanes
from spike2pop_nb.simulation.one_by_one import QUANTILE_BITS, SPLITMIX64

__all__ = ["draw_noise", "summed"]

_SECTIONS, _NUMBERS, _STATES = 4, 5, 2  # of the low pass; numbers and states of each
_f64, _i32, _i64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_DOUBLES, _LONGS = ir.VectorType(_f64, COLUMNS), ir.VectorType(_i64, COLUMNS)
_BITS = 52  # of a draw; the highest choose a quantile, the others the way to the next
_MANTISSA = 0x4330000000000000  # of 2^52: with a whole number below that in its lowest bits, their sum


@intrinsic
def draw_noise(_typing, current, sigma, seeds, sections, quantiles, filters):  # type: ignore[no-untyped-def]
    """Draw the next noise current of a tile and filter it.

    Parameters
    ----------
    current, sigma : float64 (LANES,)
        What comes out, and its standard deviation before it is filtered.
    seeds : uint64 (LANES,)
    sections : float64 (4, 5)
        Biquads: b0, b1, b2, a1, a2 of each.
    quantiles : float64
        Of a Gaussian.
    filters : float64 (4, 2, LANES)
        States of the biquads.
    """
    return types.void(current, sigma, seeds, sections, quantiles, filters), _emit_noise


@intrinsic
def summed(_typing, a, b):  # type: ignore[no-untyped-def]
    """Return the sum of two float64 (LANES,) as `Lanes`."""
    return lanes(a, b), _emit_sum


def _data(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> list[Any]:
    return [
        data_of(context, builder, kind, array) for kind, array in zip(signature.args, arguments, strict=True)
    ]


def _eight(builder: ir.IRBuilder, data: Any, row: int, half: int, kind: Any = _DOUBLES) -> Any:
    """Pointer to eight numbers of a row of LANES."""
    at = builder.gep(data, [ir.Constant(_i64, row * LANES + half * COLUMNS)])
    return builder.bitcast(at, kind.as_pointer())


def _longs(number: int) -> Any:
    return ir.Constant(_LONGS, [number] * COLUMNS)


def _doubles(number: float) -> Any:
    return ir.Constant(_DOUBLES, [number] * COLUMNS)


def _emit_sum(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    a, b = _data(context, builder, signature, arguments)
    both = []
    for half in range(2):
        parts = [builder.load(_eight(builder, data, 0, half), align=8) for data in (a, b)]
        both.append(builder.fptrunc(builder.fadd(*parts), ir.VectorType(ir.FloatType(), COLUMNS)))
    return joined(builder, both)


def _emit_noise(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    current, sigma, seeds, sections, quantiles, filters = _data(context, builder, signature, arguments)
    for half in range(2):
        drawn = _normal(builder, _eight(builder, seeds, 0, half, _LONGS), quantiles)
        sd = builder.load(_eight(builder, sigma, 0, half), align=8)
        u = _low_passed(builder, builder.fmul(sd, drawn, flags=CONTRACT), sections, filters, half)
        builder.store(u, _eight(builder, current, 0, half), align=8)
    return context.get_dummy_value()


def _normal(builder: ir.IRBuilder, seeds: Any, quantiles: Any) -> Any:
    """Eight normal numbers, by the hash of seeds that go on and a table of quantiles."""
    golden, first, second = SPLITMIX64
    z = builder.add(builder.load(seeds, align=8), _longs(golden))
    builder.store(z, seeds, align=8)
    for shift, factor in ((30, first), (27, second)):
        z = builder.mul(builder.xor(z, builder.lshr(z, _longs(shift))), _longs(factor))
    z = builder.lshr(builder.xor(z, builder.lshr(z, _longs(31))), _longs(64 - _BITS))
    rest = _BITS - QUANTILE_BITS
    places, below = builder.lshr(z, _longs(rest)), builder.and_(z, _longs((1 << rest) - 1))
    # the processors at hand turn no vector of long integers into floating-point numbers
    whole = builder.bitcast(builder.or_(below, _longs(_MANTISSA)), _DOUBLES)
    share = builder.fmul(builder.fsub(whole, _doubles(2.0**_BITS)), _doubles(2.0**-rest))
    low = high = ir.Constant(_DOUBLES, ir.Undefined)
    for k in range(COLUMNS):
        lane = ir.Constant(_i32, k)
        at = builder.gep(quantiles, [builder.extract_element(places, lane)])
        low = builder.insert_element(low, builder.load(at), lane)
        after = builder.gep(at, [ir.Constant(_i64, 1)])
        high = builder.insert_element(high, builder.load(after), lane)
    way = builder.fmul(share, builder.fsub(high, low, flags=CONTRACT), flags=CONTRACT)
    return builder.fadd(low, way, flags=CONTRACT)


def _low_passed(builder: ir.IRBuilder, u: Any, sections: Any, filters: Any, half: int) -> Any:
    """Eight numbers after all biquads, whose states go on."""

    def each(place: int) -> Any:
        number = builder.load(builder.gep(sections, [ir.Constant(_i64, place)]))
        one = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), number, ir.Constant(_i32, 0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_i32, COLUMNS), [0] * COLUMNS))

    def act(name: str, a: Any, b: Any) -> Any:
        return getattr(builder, name)(a, b, flags=CONTRACT)

    for s in range(_SECTIONS):
        b0, b1, b2, a1, a2 = (each(_NUMBERS * s + k) for k in range(_NUMBERS))
        first, second = (_eight(builder, filters, _STATES * s + k, half) for k in range(_STATES))
        out = act("fadd", act("fmul", b0, u), builder.load(first, align=8))
        change = act("fsub", act("fmul", b1, u), act("fmul", a1, out))
        builder.store(act("fadd", change, builder.load(second, align=8)), first, align=8)
        builder.store(act("fsub", act("fmul", b2, u), act("fmul", a2, out)), second, align=8)
        u = out
    return u
