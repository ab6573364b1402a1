/** Where values are computed: once per point of their own ranges, loads before the stores that may replace them. */
import { describe, expect, it } from 'vitest'
import type { Cluster } from '../../../../passes/loop/ir/cluster.ts'
import { countItems, type Item, type Nest, placeCluster } from '../../../../passes/loop/schedule/nest.ts'
import { build as b, constant, typeOf } from '../../../../src/lang/build.ts'
import type { Node } from '../../../../src/lang/ir.ts'
import { f32, i32, program } from '../../graph/programs.ts'
import { clusterOf, jointCluster, outline } from '../clusters.ts'

const [rows, columns] = [3, 5]

const spread = (x: Node): Node => b.broadcast([x], { shape: [rows, columns], axes: [1] })
const over = (monoid: 'sum' | 'max', x: Node): Node => b.reduce([x], { monoid, axes: [1] })

const softmax = program([f32(rows, columns)], (x) => {
  const e = b.exp([b.sub([x, spread(over('max', x))], {})], {})
  return b.div([e, spread(over('sum', e))], {})
}).outputs[0]!

/** The nest of a cluster with the first `count` ranges of its largest store on the grid. */
const nestOf = ({ stores }: Cluster, count: number): Nest => {
  const widest = stores.reduce((a, s) => (s.ranges.length > a.ranges.length ? s : a))
  return placeCluster({ stores }, widest.ranges.slice(0, count))
}

/** How often the items that `which` accepts run in all. */
const runs = (nest: Nest, which: (item: Item) => boolean): number => {
  let total = 0
  countItems(nest, (item, times) => {
    if (which(item)) total += times
  })
  return total
}

const isReduce =
  (monoid: string) =>
  (item: Item): boolean =>
    item.kind === 'reduce' && item.accumulations.some((a) => a.reduce.monoid === monoid)
const isOp =
  (op: string) =>
  (item: Item): boolean =>
    item.kind === 'value' && item.value.kind === 'alu' && item.value.op === op

describe('softmax', () => {
  it('is three passes over a row that an invocation keeps', () => {
    expect(outline(nestOf(clusterOf(softmax).cluster, 1))).toEqual([
      'reduce max over 5',
      '  load',
      '  accumulate max',
      'reduce sum over 5',
      '  load',
      '  sub',
      '  exp',
      '  accumulate sum',
      'loop 5',
      '  load',
      '  sub',
      '  exp',
      '  div',
      '  store 0',
    ])
  })

  it.each([
    ['rows', 1, rows],
    ['elements', 2, rows * columns],
    ['nothing', 0, rows],
  ])('with %s on the grid, reduces once for each of them', (_, grid, times) => {
    const nest = nestOf(clusterOf(softmax).cluster, grid)
    expect(runs(nest, isReduce('max'))).toBe(times)
    expect(runs(nest, isReduce('sum'))).toBe(times)
    // Once for the sum, once for the quotient.
    expect(runs(nest, isOp('exp'))).toBe(times * columns + rows * columns)
  })
})

describe('reductions', () => {
  const nest = (f: (x: Node) => readonly Node[]): readonly string[] =>
    outline(nestOf(jointCluster(program([f32(rows, columns)], f).outputs).cluster, 1)).filter((l) =>
      l.includes('reduce'),
    )

  it('that do not need each other share one loop', () => {
    expect(nest((x) => [over('sum', x), over('max', x)])).toEqual(['reduce sum,max over 5'])
  })

  it('one of which needs the other run one after the other', () => {
    const below: (x: Node) => readonly Node[] = (x) => {
      const most = b.broadcast([over('max', x)], { shape: typeOf(x).shape, axes: [1] })
      return [over('sum', b.sub([x, most], {}))]
    }
    expect(nest(below)).toEqual(['reduce max over 5', 'reduce sum over 5'])
  })

  it('that need nothing share one of the loops that others need', () => {
    // The sum needs the first maximum; the second needs neither.
    const late = (x: Node): readonly Node[] => {
      const shifted = b.exp([b.sub([x, spread(over('max', x))], {})], {})
      return [over('sum', shifted), over('max', b.neg([x], {}))]
    }
    expect(nest(late)).toEqual(['reduce max over 5', 'reduce sum,max over 5'])
  })

  it('over other axes do not share', () => {
    expect(
      nest((x) => [
        b.add([over('sum', x), b.reduce([b.permute([x], { axes: [1, 0] })], { monoid: 'sum', axes: [0] })], {}),
      ]),
    ).toEqual(['reduce sum over 5'])
  })
})

describe('values', () => {
  it('that do not move with a loop are computed outside of it', () => {
    const node = program([f32(rows), f32(rows, columns)], (w, x) => b.mul([spread(b.exp([w], {})), x], {})).outputs[0]!
    expect(outline(nestOf(clusterOf(node).cluster, 1))).toEqual([
      'load',
      'exp',
      'loop 5',
      '  load',
      '  mul',
      '  store 0',
    ])
    expect(runs(nestOf(clusterOf(node).cluster, 1), isOp('exp'))).toBe(rows)
  })

  it('inside a computed index come before the load that uses them', () => {
    const at = constant(i32(2), [1, 0])
    const node = program([f32(4)], (x) => b.gather([x, at], { batch: 0 })).outputs[0]!
    expect(outline(nestOf(clusterOf(node).cluster, 1))).toEqual(['load', 'load', 'store 0'])
  })
})

describe('stores', () => {
  it('over the same ranges follow all their loads: one may take the place of what the other reads', () => {
    const outputs = program([f32(7), f32(7)], (x, y) => [b.add([x, y], {}), b.mul([x, y], {})]).outputs
    const lines = outline(nestOf(jointCluster(outputs).cluster, 1))
    expect(lines.slice(-2).map((l) => l.split(' ')[0])).toEqual(['store', 'store'])
    expect(lines.filter((l) => l === 'load')).toHaveLength(2)
  })

  it('over fewer ranges than the grid run on its first points only', () => {
    const outputs = program([f32(rows), f32(rows, columns)], (w, x) => [
      b.neg([w], {}),
      b.mul([spread(b.neg([w], {})), x], {}),
    ]).outputs
    const nest = nestOf(jointCluster(outputs).cluster, 2)
    const lines = outline(nest)
    expect(lines).toContain('first of 5')
    expect(lines[lines.indexOf('first of 5') + 1]).toMatch(/^ {2}/)
    let guarded = 0
    countItems(nest, (item, times, invocations) => {
      if (item.kind !== 'store' || item.store.ranges.length !== 1) return
      guarded++
      expect([times, invocations]).toEqual([rows, rows])
    })
    expect(guarded).toBe(1)
  })
})
