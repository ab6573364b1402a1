/** Rows of the elementwise ops of two operands: scalar meaning by dtype, tangents, transposes of the (bi)linear ones. */
import type { BinaryOp, Build, Node } from '../ir.ts'
import type { Linear, Primitive } from '../primitive.ts'
import { pow, powInteger } from '../scalar-functions.ts'
import { operandType } from './operand-checks.ts'
import { type Binary, type BinaryJvp, binaryRow, type None, type Scalars, sum } from './pointwise.ts'
import { fill, offset, ones, scale, uniformValue, zerosLike } from './rule-parts.ts'

const mul = (b: Build, x: Node, y: Node): Node => b.mul([x, y], {})
const div = (b: Build, x: Node, y: Node): Node => b.div([x, y], {})
const select = (b: Build, c: Node, x: Node, y: Node): Node => b.select([c, x, y], {})

/** float, i32, u32; the typed array a result is stored in wraps modulo 2³². */
const numeric = (float: Binary, i32: Binary, u32: Binary): Scalars<Binary> => ({ float, i32, u32, bool: undefined })
const everywhere = (f: Binary): Scalars<Binary> => ({ float: f, i32: f, u32: f, bool: f })
const discrete = (f: Binary, bool: Binary | undefined): Scalars<Binary> => ({ float: undefined, i32: f, u32: f, bool })
const float = (f: Binary): Scalars<Binary> => ({ float: f, i32: undefined, u32: undefined, bool: undefined })

interface Meaning {
  readonly scalars: Scalars<Binary>
  readonly result?: 'same' | 'bool'
  readonly tangent?: (c: BinaryJvp) => Linear
  readonly transpose?: Primitive<None>['transpose']
}

/**
 * Tangent of max and min. `lower` tells where y wins. On a tie each tangent counts half. Selecting instead of
 * multiplying by a mask keeps an infinite tangent of the losing operand out.
 */
const extremum =
  (lower: (b: Build, x: Node, y: Node) => Node) =>
  ({ b, x, y, dx, dy }: BinaryJvp): Linear => {
    const tie = scale(b, (dx && dy ? b.add([dx, dy], {}) : (dx ?? dy))!, 0.5)
    const one = select(b, lower(b, x, y), dy ?? zerosLike(b, x), dx ?? zerosLike(b, x))
    return select(b, b.eq([x, y], {}), tie, one)
  }

/** d(x^y)/dx · dx = y x^(y-1) dx, and 0 where y = 0 (also at x = 0). A known exponent needs no guard. */
const powBase = (b: Build, x: Node, y: Node, dx: Node): Linear => {
  const known = uniformValue(y)
  if (known === 0) return undefined
  if (known === 1) return dx
  if (known === 2) return mul(b, dx, b.add([x, x], {}))
  if (known !== undefined) {
    const type = operandType(y)
    return mul(b, dx, scale(b, b.pow([x, fill(b, type, known - 1)], {}), known))
  }
  // The guarded exponent keeps 0^(-1) out of the unselected branch, where a second derivative would meet 0 · inf. Where x
  // is another number, y x^(y-1) has no need of it, and its own slope at y = 0 is x^(-1).
  const none = zerosLike(b, y)
  const zero = b.and([b.eq([y, none], {}), b.not([b.lt([none, b.abs([x], {})], {})], {})], {})
  const safe = select(b, zero, ones(b, operandType(y)), y)
  const slope = mul(b, safe, b.pow([x, offset(b, safe, -1)], {}))
  return mul(b, dx, select(b, zero, none, slope))
}

/** d(x^y)/dy · dy = x^y log(x) dy, and 0 where x = 0 and y >= 0: log(1) = 0 stands in for log(0) there. */
const powExponent = (b: Build, x: Node, y: Node, dy: Node, out: Node): Node => {
  const zero = zerosLike(b, x)
  const flat = b.and([b.eq([x, zero], {}), b.le([zero, y], {})], {})
  return mul(b, dy, mul(b, out, b.log([select(b, flat, ones(b, operandType(x)), x)], {})))
}

/** Integer division as WGSL: x / 0 = x; the smallest i32 divided by -1 wraps to itself. */
const divideInteger: Binary = (x, y) => (y === 0 ? x : Math.trunc(x / y))
const remInteger: Binary = (x, y) => (y === 0 ? 0 : x % y)

const meanings: { readonly [K in BinaryOp]: Meaning } = {
  add: {
    scalars: numeric(
      (x, y) => x + y,
      (x, y) => x + y,
      (x, y) => x + y,
    ),
    tangent: ({ b, dx, dy }) => sum(b, dx, dy),
    transpose: ({ ct, linear: [x, y] }) => [x ? ct : undefined, y ? ct : undefined],
  },
  sub: {
    scalars: numeric(
      (x, y) => x - y,
      (x, y) => x - y,
      (x, y) => x - y,
    ),
    tangent: ({ b, dx, dy }) => (dx && dy ? b.sub([dx, dy], {}) : dy ? b.neg([dy], {}) : dx),
    transpose: ({ b, ct, linear: [x, y] }) => [x ? ct : undefined, y ? b.neg([ct], {}) : undefined],
  },
  mul: {
    scalars: numeric((x, y) => x * y, Math.imul, Math.imul),
    tangent: ({ b, x, y, dx, dy }) => sum(b, dx && mul(b, dx, y), dy && mul(b, x, dy)),
    transpose: ({ b, ct, args: [x, y], linear }) => [
      linear[0] ? mul(b, ct, y!) : undefined,
      linear[1] ? mul(b, x!, ct) : undefined,
    ],
  },
  div: {
    scalars: numeric((x, y) => x / y, divideInteger, divideInteger),
    tangent: ({ b, y, dx, dy, out }) => {
      const fromDivisor = dy && mul(b, dy, div(b, out, y))
      if (!fromDivisor) return dx && div(b, dx, y)
      return dx ? b.sub([div(b, dx, y), fromDivisor], {}) : b.neg([fromDivisor], {})
    },
    transpose: ({ b, ct, args: [, y], linear }) => [linear[0] ? div(b, ct, y!) : undefined, undefined],
  },
  rem: {
    scalars: numeric((x, y) => x % y, remInteger, remInteger),
    // x - y trunc(x / y), where the quotient is constant almost everywhere.
    tangent: ({ b, x, y, dx, dy }) => {
      const fromDivisor = dy && mul(b, dy, b.trunc([div(b, x, y)], {}))
      if (!fromDivisor) return dx
      return dx ? b.sub([dx, fromDivisor], {}) : b.neg([fromDivisor], {})
    },
  },
  pow: {
    scalars: numeric(pow, powInteger, powInteger),
    tangent: ({ b, x, y, dx, dy, out }) => sum(b, dx && powBase(b, x, y, dx), dy && powExponent(b, x, y, dy, out)),
  },
  atan2: {
    scalars: float(Math.atan2),
    // (y' x - y x') / (x² + y²); each numerator is divided first so that the tangents stay linear operands.
    tangent: ({ b, x: y, y: x, dx: dy, dy: dx }) => {
      const square = b.add([mul(b, x, x), mul(b, y, y)], {})
      const up = dy && mul(b, dy, div(b, x, square))
      const along = dx && mul(b, dx, div(b, y, square))
      if (!along) return up
      return up ? b.sub([up, along], {}) : b.neg([along], {})
    },
  },
  // Math.max and Math.min propagate NaN and order -0 below +0.
  max: {
    scalars: numeric(Math.max, Math.max, Math.max),
    tangent: extremum((b, x, y) => b.lt([x, y], {})),
  },
  min: {
    scalars: numeric(Math.min, Math.min, Math.min),
    tangent: extremum((b, x, y) => b.lt([y, x], {})),
  },
  eq: { scalars: everywhere((x, y) => (x === y ? 1 : 0)), result: 'bool' },
  lt: { scalars: everywhere((x, y) => (x < y ? 1 : 0)), result: 'bool' },
  le: { scalars: everywhere((x, y) => (x <= y ? 1 : 0)), result: 'bool' },
  and: {
    scalars: discrete(
      (x, y) => x & y,
      (x, y) => x & y,
    ),
  },
  or: {
    scalars: discrete(
      (x, y) => x | y,
      (x, y) => x | y,
    ),
  },
  xor: {
    scalars: discrete(
      (x, y) => x ^ y,
      (x, y) => x ^ y,
    ),
  },
  // A shift by 32 or more (or a negative amount) moves every bit out, instead of JavaScript's modulo 32.
  shiftLeft: { scalars: discrete((x, y) => (inWord(y) ? x << y : 0), undefined) },
  shiftRight: {
    scalars: {
      float: undefined,
      i32: (x, y) => (inWord(y) ? x >> y : x < 0 ? -1 : 0),
      u32: (x, y) => (inWord(y) ? x >>> y : 0),
      bool: undefined,
    },
  },
}

const inWord = (amount: number): boolean => amount >= 0 && amount < 32

/** One row per elementwise op of two operands. */
export const binaryRows: { readonly [K in BinaryOp]: Primitive<None> } = Object.fromEntries(
  Object.entries(meanings).map(([op, meaning]) => [op, binaryRow({ make: (b) => b[op as BinaryOp], ...meaning })]),
) as { readonly [K in BinaryOp]: Primitive<None> }
