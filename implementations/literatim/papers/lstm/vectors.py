"""Vector operations of a width that is a constant when a kernel is compiled, for numba.

The networks here have some eight hidden units: too few for the compiler to make vector code of a loop over them.
"""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

DOUBLE, INT32, INT64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
STAMP = os.stat(__file__).st_mtime_ns
FAST = ("contract", "nnan", "nsz")


class Code:
    """Writes what an intrinsic does, with rows of `width` numbers as values."""

    def __init__(self, context: Any, builder: Any, width: int) -> None:
        self.context, self.builder, self.width = context, builder, width
        self.row = ir.VectorType(DOUBLE, width)

    def place(self, kind: Any, array: Any, index: Any) -> Any:
        """The address of the row that begins at an index of an array."""
        data = self.context.make_array(kind)(self.context, self.builder, value=array).data
        return self.builder.bitcast(self.builder.gep(data, [index]), self.row.as_pointer())

    def load(self, place: Any) -> Any:
        loaded = self.builder.load(place)
        loaded.align = 8
        return loaded

    def store(self, value: Any, place: Any) -> None:
        self.builder.store(value, place).align = 8

    def constant(self, value: float, whole: Any = DOUBLE) -> Any:
        return ir.Constant(ir.VectorType(whole, self.width), [value] * self.width)

    def spread(self, number: Any) -> Any:
        """A number in every place."""
        one = self.builder.insert_element(ir.Constant(self.row, ir.Undefined), number, ir.Constant(INT32, 0))
        zeros = ir.Constant(ir.VectorType(INT32, self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, ir.Constant(self.row, ir.Undefined), zeros)

    def number(self, kind: Any, array: Any, index: Any) -> Any:
        data = self.context.make_array(kind)(self.context, self.builder, value=array).data
        return self.builder.load(self.builder.gep(data, [index]))

    def call(self, name: str, *given: Any) -> Any:
        """One of LLVM's own functions, such as fma: numba lets a kernel's sums be reordered, but not these."""
        kind = ir.FunctionType(self.row, [self.row] * len(given))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{self.width}f64")
        return self.builder.call(function, given)

    def plus_product(self, total: Any, a: Any, b: Any) -> Any:
        return self.call("fma", a, b, total)

    def exponential(self, x: Any) -> Any:
        """To about an ulp, for x from -700 to 700: 2 to the nearest whole number by its bits, the rest by a series."""
        b = self.builder
        n = self.call("rint", b.fmul(x, self.constant(1.4426950408889634), flags=FAST))
        r = self.plus_product(x, n, self.constant(-6.93147180369123816490e-01))
        r = self.plus_product(r, n, self.constant(-1.90821492927058770002e-10))
        p, factorial = self.constant(1 / 6227020800.0), 6227020800
        for power in range(12, -1, -1):
            factorial //= power + 1
            p = self.plus_product(self.constant(1 / factorial), p, r)
        wide = ir.VectorType(INT64, self.width)
        whole = b.sext(b.fptosi(n, ir.VectorType(INT32, self.width)), wide)
        bits = b.shl(b.add(whole, self.constant(1023, INT64)), self.constant(52, INT64))
        return b.fmul(p, b.bitcast(bits, self.row), flags=FAST)

    def logistic(self, x: Any) -> Any:
        b = self.builder
        x = b.fneg(x)
        for bound, beyond in ((-700.0, "<"), (700.0, ">")):
            limit = self.constant(bound)
            x = b.select(b.fcmp_ordered(beyond, x, limit), limit, x)
        one = self.constant(1.0)
        return b.fdiv(one, b.fadd(one, self.exponential(x), flags=FAST), flags=FAST)


@intrinsic(prefer_literal=True)
def squash(typingctx: Any, x: Any, width: Any) -> Any:
    """x[:width] becomes its logistic (Eq. 3)."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(context, builder, width.literal_value)
        place = code.place(signature.args[0], args[0], ir.Constant(INT64, 0))
        code.store(code.logistic(code.load(place)), place)
        return context.get_dummy_value()

    return types.void(x, width), write


@intrinsic(prefer_literal=True)
def add_rows(typingctx: Any, total: Any, table: Any, first: Any, x: Any, number: Any, width: Any) -> Any:
    """total[:width] += the rows of a table from the `first` on, each times its x: so many as `number` says."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(context, builder, width.literal_value)
        kinds, n = signature.args, ir.Constant(INT64, width.literal_value)
        out = code.place(kinds[0], args[0], ir.Constant(INT64, 0))
        total = cgutils.alloca_once_value(builder, code.load(out))
        with cgutils.for_range(builder, args[4]) as loop:
            row = code.load(code.place(kinds[1], args[1], builder.mul(builder.add(args[2], loop.index), n)))
            times = code.spread(code.number(kinds[3], args[3], loop.index))
            builder.store(code.plus_product(builder.load(total), row, times), total)
        code.store(builder.load(total), out)
        return context.get_dummy_value()

    return types.void(total, table, types.int64, x, types.int64, width), write


@intrinsic(prefer_literal=True)
def add_to_rows(typingctx: Any, table: Any, first: Any, x: Any, number: Any, added: Any, width: Any) -> Any:
    """Each of so many rows of a table, from the `first` on, += its x times added[:width]."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(context, builder, width.literal_value)
        kinds, n = signature.args, ir.Constant(INT64, width.literal_value)
        added = code.load(code.place(kinds[4], args[4], ir.Constant(INT64, 0)))
        with cgutils.for_range(builder, args[3]) as loop:
            place = code.place(kinds[0], args[0], builder.mul(builder.add(args[1], loop.index), n))
            times = code.spread(code.number(kinds[2], args[2], loop.index))
            code.store(code.plus_product(code.load(place), added, times), place)
        return context.get_dummy_value()

    return types.void(table, types.int64, x, types.int64, added, width), write


@intrinsic(prefer_literal=True)
def scale_rows(typingctx: Any, table: Any, number: Any, factor: Any, width: Any) -> Any:
    """Each of the first rows of a table *= factor[:width]."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(context, builder, width.literal_value)
        kinds, n = signature.args, ir.Constant(INT64, width.literal_value)
        factor = code.load(code.place(kinds[2], args[2], ir.Constant(INT64, 0)))
        with cgutils.for_range(builder, args[1]) as loop:
            place = code.place(kinds[0], args[0], builder.mul(loop.index, n))
            code.store(builder.fmul(code.load(place), factor, flags=FAST), place)
        return context.get_dummy_value()

    return types.void(table, types.int64, factor, width), write
