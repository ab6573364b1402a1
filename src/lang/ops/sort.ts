/** The row of sort: elements in order along an axis, with the indices they come from. */
import * as E from '#fp/Either'
import { sizeOf } from '../dim.ts'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { wrongAxes, wrongCount, wrongPositions } from './operand-checks.ts'
import { gatherAlong } from './pick-along.ts'
import { batchedArgs } from './rule-parts.ts'
import { lineStart } from './strided.ts'

/** NaN comes after every number; the zeros are equal. */
const compare = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b))

/**
 * x of any dtype → (its elements in ascending order along `axis`, of x's type; the i32 index of each). Stable: equal
 * elements keep their order, with `descending` too. NaN counts as the greatest.
 */
export const sort: Primitive<ParamsOf['sort']> = {
  infer: (xs, { axis }) => {
    const bad = wrongCount(xs, 1) ?? wrongAxes([axis], xs[0]!.shape.length) ?? wrongPositions(xs[0]!.shape, axis)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    return E.right([
      { shape, dtype },
      { shape, dtype: 'i32' },
    ])
  },
  jvp: ({ b, tangents: [dx], out, params }) => [
    dx && gatherAlong(b, dx, b.get([out], { index: 1 }), params.axis),
    undefined,
  ],
  transpose: 'nonlinear',
  batch: (c) => {
    const out = c.b.sort(batchedArgs(c), { ...c.params, axis: c.params.axis + 1 })
    return [0, 1].map((index) => c.b.get([out], { index }))
  },
  eval: ([x], { axis, descending }, types) => {
    const { shape, data } = x!
    const [values, indices] = [allocate(types[0]!.dtype, data.length), allocate('i32', data.length)]
    const n = shape[axis]!
    const inner = sizeOf(shape.slice(axis + 1))
    const sign = descending ? -1 : 1
    for (let line = 0; n > 0 && line < data.length / n; line++) {
      const base = lineStart(line, n, inner)
      const order = Int32Array.from({ length: n }, (_, i) => i)
      order.sort((i, j) => sign * compare(data[base + i * inner]!, data[base + j * inner]!) || i - j)
      order.forEach((from, to) => {
        values[base + to * inner] = data[base + from * inner]!
        indices[base + to * inner] = from
      })
    }
    return [values, indices]
  },
}
