/** The first cut: what is stored before any fusion, and what is computed where it is used. */
import { describe, expect, it } from 'vitest'
import { chooseStored, isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import { build as b, constant, typeOf } from '../../../../src/lang/build.ts'
import type { Node } from '../../../../src/lang/ir.ts'
import { f32, program, u32 } from '../../graph/programs.ts'

const sum = (x: Node): Node => b.reduce([x], { monoid: 'sum', axes: [1] })
const spread = (x: Node): Node => b.broadcast([x], { shape: [3, 5], axes: [1] })

const cases: readonly {
  readonly why: string
  readonly f: (x: Node) => Node | readonly Node[]
  readonly roots: readonly string[]
}[] = [
  { why: 'results are stored', f: (x) => [b.neg([x], {}), b.abs([x], {})], roots: ['neg', 'abs'] },
  {
    why: 'a cheap value with two users is computed twice',
    f: (x) => {
      const y = b.add([x, x], {})
      return [b.neg([y], {}), b.abs([y], {})]
    },
    roots: ['neg', 'abs'],
  },
  {
    why: 'a dear one with two users is not',
    f: (x) => {
      const y = b.sin([b.exp([x], {})], {})
      return [b.neg([y], {}), b.abs([y], {})]
    },
    roots: ['sin', 'neg', 'abs'],
  },
  {
    why: 'nor is a reduction, however cheap',
    f: (x) => {
      const y = sum(x)
      return [b.neg([y], {}), b.abs([y], {})]
    },
    roots: ['reduce', 'neg', 'abs'],
  },
  {
    why: 'a reduction under a view that repeats it is stored',
    f: (x) => b.add([x, spread(sum(x))], {}),
    roots: ['reduce', 'add'],
  },
  { why: 'a reduction with one user is its prologue', f: (x) => b.exp([sum(x)], {}), roots: ['exp'] },
  {
    why: 'of two outputs, those that are used are stored',
    f: (x) => {
      const both = b.reduce([x], { monoid: 'argmax', axes: [1] })
      return [b.get([both], { index: 0 }), b.get([both], { index: 1 })]
    },
    roots: ['get', 'get'],
  },
  {
    why: 'nothing empty but a result is stored',
    f: (x) =>
      b.reduce([sum(b.slice([x], { start: [0, 0], stop: [0, 5], step: [1, 1] }))], { monoid: 'sum', axes: [0] }),
    roots: ['reduce'],
  },
  { why: 'an argument that is a result needs no kernel', f: (x) => [x, b.neg([x], {})], roots: ['neg'] },
]

describe('roots', () => {
  it.each(cases)('$why', ({ f, roots }) => {
    const chosen = chooseStored(program([f32(3, 5)], f))
    expect([...chosen].map((n) => n.op)).toEqual(roots)
  })

  it('cut an expression that has grown too large, and not before', () => {
    const chain = (n: number): ReturnType<typeof program> =>
      program([f32(4)], (x) => {
        let y: Node = x
        for (let i = 0; i < n; i++) y = b.neg([b.abs([y], {})], {})
        return y
      })
    expect(chooseStored(chain(20)).size).toBe(1)
    const cuts = chooseStored(chain(200)).size
    expect(cuts).toBeGreaterThan(2)
    expect(cuts).toBeLessThan(20)
  })

  it('count what is used twice once, and twice where a view moves it', () => {
    const twice = (f: (y: Node, i: number) => Node): number =>
      chooseStored(
        program([f32(64)], (x) => {
          let y: Node = x
          for (let i = 0; i < 12; i++) y = f(y, i)
          return y
        }),
      ).size
    expect(twice((y) => b.mul([y, y], {}))).toBe(1)
    const shifted = (y: Node, by: number): Node => b.pad([y], { low: [by], high: [-by], interior: [0], value: 0 })
    expect(twice((y, i) => b.add([y, shifted(y, 2 ** (i % 6))], {}))).toBeGreaterThan(1)
  })

  it('are what windows look at again and again, where that is worth more than its memory', () => {
    const windows = (x: Node): Node =>
      [2, 3].reduce((y, axis) => b.window([y], { axis, size: 3, stride: 1, dilation: 1 }), x)
    const padded = (x: Node): Node =>
      b.pad([x], { low: [0, 0, 1, 1], high: [0, 0, 1, 1], interior: [0, 0, 0, 0], value: 0 })
    const scaled = (x: Node): Node => b.add([b.mul([x, x], {}), x], {})
    const stored = (f: (x: Node) => Node): readonly string[] =>
      [...chooseStored(program([f32(2, 4, 16, 16)], (x) => b.neg([f(x)], {})))].map((n) => n.op)
    const contracted = (x: Node, channels: number): Node =>
      b.dot(
        [
          windows(padded(x)),
          constant(
            f32(channels, 4, 3, 3),
            Array.from({ length: 36 * channels }, (_, i) => i),
          ),
        ],
        {
          lhs: [0, 1, 2, 3, 4, 5],
          rhs: [6, 1, 4, 5],
          out: [0, 6, 2, 3],
        },
      )
    expect(stored((x) => windows(padded(scaled(x))))).toEqual(['neg'])
    expect(stored((x) => windows(padded(scaled(scaled(x)))))).toEqual(['add', 'neg'])
    // Every tile of channels looks at all of it.
    expect(stored((x) => contracted(scaled(x), 4))).toEqual(['neg'])
    expect(stored((x) => contracted(scaled(x), 64))).toEqual(['add', 'neg'])
    // What is read as it is gains nothing by a copy.
    expect(stored((x) => contracted(x, 64))).toEqual(['neg'])
  })

  it('come operands first', () => {
    const graph = program([f32(3, 5)], (x) =>
      b.div([x, spread(b.log([sum(b.exp([b.sub([x, spread(sum(x))], {})], {}))], {}))], {}),
    )
    const chosen = [...chooseStored(graph)]
    expect(chosen.map((n) => typeOf(n).shape.length)).toEqual([1, 2, 1, 2])
    expect(chosen.at(-1)).toBe(graph.outputs[0])
  })
})

describe('leaves in memory', () => {
  it.each([
    ['an argument', program([f32(2)], (x) => x).outputs[0]!, true],
    ['different numbers', constant(f32(2), [1, 2]), true],
    ['one number', constant(f32(2), [3, 3]), false],
    ['zeros of both signs', constant(f32(2), [0, -0]), true],
    ['NaN everywhere', constant(f32(2), [NaN, NaN]), false],
    ['no number at all', constant(f32(0), []), false],
    ['a large constant', constant(u32(65), new Array<number>(65).fill(1)), true],
    ['a count', b.iota([], { shape: [4], dtype: 'i32', axis: 0 }), false],
  ])('%s: %o', (_, node, expected) => {
    expect(isBufferLeaf(node)).toBe(expected)
  })
})
