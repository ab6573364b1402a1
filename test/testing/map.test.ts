/** What random graphs map over a batch is the function that was cut out, example by example. */
import { describe, expect, test } from 'vitest'
import { build, typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Node } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { seededDice } from '../../src/testing/dice.ts'
import { cutAbove, mapMaker } from '../../src/testing/makers/map.ts'
import { sampleOf } from '../../src/testing/sample.ts'
import { createWorkshop, type Workshop } from '../../src/testing/workshop.ts'

const workshop = (seed: number): Workshop =>
  createWorkshop(seededDice(seed), {
    dtypes: ['f32', 'i32'],
    dims: [2, 3],
    limit: 64,
    branches: true,
    maxInputs: 4,
    woven: false,
    special: 0,
  })

/** A row of a table that an index picks, squashed: x[i mod 3] · tanh y. */
const drawRow = (w: Workshop): readonly Node[] => {
  const table = w.fresh({ shape: [3, 2], dtype: 'f32' })
  const y = w.fresh({ shape: [2], dtype: 'f32' })
  const i = w.fresh({ shape: [], dtype: 'i32' })
  const size = w.fill({ shape: [], dtype: 'i32' }, 3)
  const at = w.b.rem([w.b.max([i, w.fill({ shape: [], dtype: 'i32' }, 0)], {}), size], {})
  const row = w.b.gather([table, at], { batch: 0 })
  const nodes = [table, y, i, at, row, w.b.mul([row, w.b.tanh([y], {})], {})]
  for (const n of nodes) w.offer(n)
  return nodes
}

describe('cutAbove', () => {
  test('keeps guards of indices outside', () => {
    for (let seed = 0; seed < 40; seed++) {
      const w = workshop(seed)
      const [, , , at, , root] = drawRow(w)
      const { params, inner } = cutAbove(w, root!, 9)
      expect([...inner].every((n) => typeOf(n).dtype === 'f32')).toBe(true)
      expect(inner.size).toBeGreaterThan(2)
      expect(params).toContain(at)
    }
  })

  test('takes an op of several outputs along with what reads it', () => {
    const w = workshop(1)
    const x = w.fresh({ shape: [3], dtype: 'f32' })
    const pair = w.b.reduce([x], { monoid: 'meanVar', axes: [0] })
    const { params, inner } = cutAbove(w, w.b.get([pair], { index: 1 }), 1)
    expect([...inner]).toContain(pair)
    expect(params).toEqual([x])
  })
})

describe('mapMaker', () => {
  test('gives legal nodes, one axis more than the function, with indices inside their axes', () => {
    const ranks = new Set<number>()
    let gathers = 0
    for (let seed = 0; seed < 200; seed++) {
      const w = workshop(seed)
      const known = new Set(topological(drawRow(w)))
      const made = mapMaker(w)
      if (!made) continue
      ranks.add(typeOf(made).shape.length)
      const { graph, inputs } = sampleOf([made], w.inputs)
      expect(evaluate(graph, inputs)[0]!.data).toHaveLength(sizeOf(typeOf(made).shape))
      for (const n of topological([made])) {
        if (known.has(n) || n.op !== 'gather') continue
        gathers++
        const size = typeOf(n.args[0]!).shape[n.params.batch]!
        const { data } = w.valueOf(n.args[1]!)
        expect(data.every((i) => i >= 0 && i < size)).toBe(true)
      }
    }
    expect([...ranks].toSorted()).toEqual([1, 2])
    expect(gathers).toBeGreaterThan(20)
  })

  test('is the function on every example', () => {
    let compared = 0
    for (let seed = 0; seed < 100; seed++) {
      const w = workshop(seed)
      const x = w.fresh({ shape: [3], dtype: 'f32' })
      w.offer(x)
      w.offer(w.b.sin([x], {}))
      const made = mapMaker(w)
      // Where its batch axis is first and its argument a batch, the sine of each row is a row.
      if (made?.op !== 'sin') continue
      compared++
      const rows = made.args[0]!
      const alone = build.sin([rows], {})
      expect(Array.from(w.valueOf(made).data)).toEqual(Array.from(w.valueOf(w.add(alone)).data))
      expect(typeOf(made).shape.slice(1)).toEqual([3])
    }
    expect(compared).toBeGreaterThan(20)
  })
})
