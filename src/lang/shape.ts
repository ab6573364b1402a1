/** Shapes: equality, printing, row-major strides, axis normalisation and the broadcasting rule. */
import * as E from '#fp/Either'
import type { Eq } from '#fp/Eq'
import { type Dim, dimEquals, dimMul, floorDiv, type Shape } from './dim.ts'

/** Whether two shapes are one, axis by axis. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => dimEquals(d, b[i]!))

/** Equality of shapes. */
export const ShapeEq: Eq<Shape> = { equals: sameShape }

/** `[2, 3]`, or `[]` for a scalar. */
export const showShape = (s: Shape): string => `[${s.join(', ')}]`

/** Row-major strides, in elements. */
export const stridesOf = (shape: Shape): readonly number[] => {
  const out = new Array<number>(shape.length)
  let n = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = n
    n = dimMul(n, shape[i]!)
  }
  return out
}

/** The coordinates of element `i` in row-major order. */
export const positionOf = (i: number, shape: Shape): readonly number[] => {
  const position = new Array<number>(shape.length)
  let rest = i
  for (let a = shape.length - 1; a >= 0; a--) {
    position[a] = rest % shape[a]!
    rest = floorDiv(rest, shape[a]!)
  }
  return position
}

/** Resolves a possibly negative axis against `rank`; Left with the reason when out of range. */
export const normaliseAxis = (axis: number, rank: number): E.Either<string, number> =>
  Number.isInteger(axis) && axis >= -rank && axis < rank
    ? E.right(axis < 0 ? axis + rank : axis)
    : E.left(typeof axis === 'number' ? `axis ${axis} is out of range for rank ${rank}` : 'an axis is a whole number')

/** NumPy broadcasting of two shapes, or the output axis at which they disagree. */
export const broadcastShapes = (a: Shape, b: Shape): E.Either<{ readonly axis: number }, Shape> => {
  const rank = Math.max(a.length, b.length)
  const out: Dim[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return E.left({ axis: i })
    out.push(x === 1 ? y : x)
  }
  return E.right(out)
}

/** The axes `0 … rank-1` that are not in `axes`. */
export const otherAxes = (rank: number, axes: readonly number[]): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i))
