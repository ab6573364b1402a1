/** Every op lowered to index maps and reductions: the element at every point is the one that `evaluate` gives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import { valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { build as b, constant, typeOf } from '../../../../src/lang/build.ts'
import { sizeOf } from '../../../../src/lang/dim.ts'
import type { DType } from '../../../../src/lang/dtype.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import {
  binaryOps,
  type LoopOp,
  type Node,
  type Op,
  type PointwiseOp,
  type RoutineOp,
  type TensorType,
  unaryOps,
} from '../../../../src/lang/ir.ts'
import { elementwise } from '../../../../src/lang/tensor/math/user-defined.ts'
import { nodeOf, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { arbGraph } from '../../../../src/testing/arb-graph.ts'
import { difference, expectation } from '../../../../src/testing/tolerance.ts'
import { bool, f32, i32, program, u32 } from '../../graph/programs.ts'
import { arbitraryInputs, clusterOf, expectClose, runCluster } from '../clusters.ts'

interface Case {
  readonly name: string
  readonly types: readonly TensorType[]
  readonly f: (...xs: Node[]) => Node
}

const of = (name: string, types: readonly TensorType[], f: Case['f']): Case => ({ name, types, f })

const logical: ReadonlySet<Op> = new Set<Op>(['and', 'or', 'xor', 'not'])
const shifts: ReadonlySet<Op> = new Set<Op>(['shiftLeft', 'shiftRight'])

/** A dtype that the elementwise op takes. */
const typeFor = (op: Op): TensorType => (logical.has(op) ? bool(5) : shifts.has(op) ? u32(5) : f32(5))

const pointwise: { readonly [K in PointwiseOp]: readonly Case[] } = {
  ...(Object.fromEntries([
    ...unaryOps.map((op) => [op, [of('', [typeFor(op)], (x) => b[op]([x], {}))]]),
    ...binaryOps.map((op) => [op, [of('', [typeFor(op), typeFor(op)], (x, y) => b[op]([x, y], {}))]]),
  ]) as { readonly [K in PointwiseOp]: readonly Case[] }),
  select: [of('', [bool(3, 2), i32(3, 2), i32(3, 2)], (c, x, y) => b.select([c, x, y], {}))],
  cast: (['i32', 'u32', 'bool', 'f32'] as const).map((dtype: DType) =>
    of(`to ${dtype}`, [i32(7)], (x) => b.cast([x], { dtype })),
  ),
  bitcast: [of('', [f32(7)], (x) => b.bitcast([x], { dtype: 'i32' }))],
}

const hypotenuse = elementwise({
  name: 'hypotenuse',
  wgsl: 'fn hypotenuse(x: f32, y: f32) -> f32 { return sqrt(x * x + y * y); }',
  reference: (x: number, y: number) => Math.hypot(x, y),
})

const load: Case = of('', [f32(2, 3)], (x) => b.neg([x], {}))
const labels = (lhs: number[], rhs: number[], out: number[]): Parameters<typeof b.dot>[1] => ({ lhs, rhs, out })
const indices = (shape: number[], below: number): Node =>
  constant(
    i32(...shape),
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => (i * 7 + 2) % below),
  )

const cases: {
  readonly [K in Exclude<Op, RoutineOp | LoopOp | 'cond' | 'customCall' | 'customLinear'>]: readonly Case[]
} = {
  ...pointwise,
  input: [load],
  const: [
    of('one number', [], () => constant(f32(2, 2), [3, 3, 3, 3])),
    of('a vector', [], () => b.neg([constant(f32(3), [1, -0, 3])], {})),
  ],
  data: [
    of('', [], () =>
      b.neg(
        [
          constant(
            f32(65),
            Array.from({ length: 65 }, (_, i) => i),
          ),
        ],
        {},
      ),
    ),
  ],
  iota: [0, 1].map((axis) => of(`axis ${axis}`, [], () => b.iota([], { shape: [3, 5], dtype: 'i32', axis }))),
  reshape: [
    of('other factors', [f32(4, 6)], (x) => b.reshape([x], { shape: [3, 2, 4] })),
    of('a scalar', [f32()], (x) => b.reshape([x], { shape: [1, 1] })),
    of('of what is permuted', [f32(2, 3, 5)], (x) =>
      b.reshape([b.permute([x], { axes: [2, 0, 1] })], { shape: [6, 5] }),
    ),
  ],
  permute: [of('', [f32(2, 3, 5)], (x) => b.permute([x], { axes: [2, 0, 1] }))],
  broadcast: [
    of('new axes on both sides', [f32(3)], (x) => b.broadcast([x], { shape: [2, 3, 4], axes: [0, 2] })),
    of('a scalar', [f32()], (x) => b.broadcast([x], { shape: [2, 2], axes: [0, 1] })),
  ],
  slice: [of('with steps', [f32(7, 5)], (x) => b.slice([x], { start: [1, 0], stop: [7, 5], step: [3, 2] }))],
  pad: [
    of('both sides, between, and a crop', [f32(3, 5)], (x) =>
      b.pad([x], { low: [2, -1], high: [1, 0], interior: [1, 0], value: 9 }),
    ),
    of('of nothing', [f32(0, 2)], (x) => b.pad([x], { low: [1, 1], high: [1, 0], interior: [0, 0], value: 7 })),
    of('of what is padded', [f32(3)], (x) => {
      const once = b.pad([x], { low: [1], high: [1], interior: [0], value: 5 })
      return b.pad([once], { low: [-2], high: [2], interior: [2], value: 6 })
    }),
  ],
  flip: [of('one axis of two', [f32(3, 4)], (x) => b.flip([x], { axes: [1] }))],
  concat: [
    of('three of different sizes, one empty', [i32(2, 3), i32(2, 0), i32(2, 4)], (x, y, z) =>
      b.concat([x, y, z], { axis: 1 }),
    ),
    of('with itself, flipped', [f32(4)], (x) => b.concat([x, b.flip([x], { axes: [0] })], { axis: 0 })),
  ],
  window: [
    of('stride and dilation', [f32(2, 11)], (x) => b.window([x], { axis: 1, size: 3, stride: 2, dilation: 3 })),
    of('of windows', [f32(7)], (x) =>
      b.window([b.window([x], { axis: 0, size: 3, stride: 1, dilation: 2 })], {
        axis: 0,
        size: 2,
        stride: 1,
        dilation: 1,
      }),
    ),
  ],
  fold: [
    of('stride and dilation', [f32(3, 3)], (x) => b.fold([x], { axis: 0, n: 11, stride: 2, dilation: 3 })),
    of('of a fold', [f32(2, 2, 2, 2)], (x) =>
      b.fold([b.fold([x], { axis: 1, n: 3, stride: 1, dilation: 1 })], { axis: 0, n: 5, stride: 2, dilation: 1 }),
    ),
    of('of nothing', [f32(0, 2)], (x) => b.fold([x], { axis: 0, n: 1, stride: 1, dilation: 1 })),
  ],
  reduce: [of('a middle axis', [f32(2, 3, 5)], (x) => b.reduce([x], { monoid: 'sum', axes: [1] }))],
  dot: [
    of('matrices', [f32(3, 5), f32(5, 2)], (x, y) => b.dot([x, y], labels([0, 1], [1, 2], [0, 2]))),
    of('a batch, two contracted axes, a permuted result', [f32(2, 3, 5, 4), f32(4, 2, 5, 3)], (x, y) =>
      b.dot([x, y], labels([0, 1, 2, 3], [4, 0, 2, 1], [3, 0, 4])),
    ),
    of('over nothing', [f32(3, 0), f32(0, 2)], (x, y) => b.dot([x, y], labels([0, 1], [1, 2], [0, 2]))),
    of('of a matrix with its transpose', [f32(3, 4)], (x) => b.dot([x, x], labels([0, 1], [2, 1], [0, 2]))),
    of('twice over the same labels', [f32(3, 3)], (x) => {
      const square = b.dot([x, x], labels([0, 1], [1, 2], [0, 2]))
      return b.dot([square, square], labels([0, 1], [1, 2], [0, 2]))
    }),
  ],
  gather: [
    of('rows', [f32(5, 3)], (x) => b.gather([x, indices([2, 2], 5)], { batch: 0 })),
    of('in a batch', [f32(2, 5, 3)], (x) => b.gather([x, indices([2, 4], 5)], { batch: 1 })),
    of('at computed indices', [f32(5)], (x) =>
      b.gather([x, b.gather([indices([5], 5), indices([3], 5)], { batch: 0 })], { batch: 0 }),
    ),
  ],
  scatterAdd: [
    of('with collisions', [f32(6, 2)], (u) => b.scatterAdd([indices([6], 4), u], { batch: 0, size: 4 })),
    of('in a batch', [f32(2, 3, 2)], (u) => b.scatterAdd([indices([2, 3], 4), u], { batch: 1, size: 4 })),
    of('of nothing', [f32(0, 2)], (u) => b.scatterAdd([indices([0], 4), u], { batch: 0, size: 4 })),
  ],
  threefry: [0, 1].map((index) =>
    of(`word ${index}`, [u32(5), u32(5), u32(5), u32(5)], (...k) => b.get([b.threefry(k, {})], { index })),
  ),
  elementwise: [
    of('', [f32(3, 5), f32(3, 5)], (x, y) => nodeOf(hypotenuse(tensorOf(x), tensorOf(y)))),
    of('broadcast', [f32(3, 5), f32(5)], (x, y) => nodeOf(hypotenuse(tensorOf(x), tensorOf(y)))),
  ],
  get: [0, 1].map((index) =>
    of(`output ${index}`, [f32(3, 5)], (x) => b.get([b.reduce([x], { monoid: 'argmax', axes: [1] })], { index })),
  ),
  stopGradient: [of('', [f32(3)], (x) => b.stopGradient([x], {}))],
  observe: [of('', [f32(3)], (x) => b.observe([x], { kind: 'finite', label: 'x' }))],
  barrier: [of('', [f32(3), f32(2)], (x, y) => b.barrier([x, b.exp([y], {})], {}))],
}

/** What a cluster can hold. */
const lowered = Object.keys(cases) as Op[]

describe('lowering', () => {
  for (const [op, list] of Object.entries(cases))
    it.each(list)(`${op} $name`, ({ types, f }) => {
      const graph = program(types, f)
      const inputs = arbitraryInputs(graph)
      expectClose([runCluster(graph, inputs)], evaluate(graph, inputs))
    })

  it('agrees with the reference on random programs, each in one cluster', () => {
    let judged = 0
    fc.assert(
      fc.property(arbGraph({ maxNodes: 12, maxElements: 60, ops: lowered }), ({ graph, inputs }) => {
        const one = { graph: { inputs: graph.inputs, outputs: graph.outputs.slice(0, 1) }, inputs }
        const [output] = one.graph.outputs
        // Fusion makes no cluster of these.
        if (isBufferLeaf(output!) || sizeOf(typeOf(output!).shape) === 0) return
        const expected = expectation(one)
        if ('discarded' in expected) return
        judged++
        expect(difference(expected, [runCluster(one.graph, inputs)], one.graph)).toBeUndefined()
      }),
      { seed: 42, numRuns: 200 },
    )
    expect(judged).toBeGreaterThan(100)
  })
})

describe('a lowered cluster', () => {
  const kinds = (types: readonly TensorType[], f: Case['f']): readonly string[] => {
    const { cluster } = clusterOf(program(types, f).outputs[0]!)
    return valuesBelow(cluster.stores.map((s) => s.value)).map((v) => v.kind)
  }

  it('holds no views: a movement of movements is one load', () => {
    const moved: Case['f'] = (x) =>
      b.slice([b.flip([b.reshape([b.permute([x], { axes: [1, 0] })], { shape: [6, 4] })], { axes: [0] })], {
        start: [1, 0],
        stop: [6, 4],
        step: [2, 3],
      })
    expect(kinds([f32(4, 6)], moved)).toEqual(['load'])
  })

  it('guards nothing that always holds', () => {
    const cropped: Case['f'] = (x) => b.pad([x], { low: [-1], high: [-1], interior: [0], value: 0 })
    expect(kinds([f32(5)], cropped)).toEqual(['load'])
  })

  it('reads nothing outside: the load has the bounds of its guard', () => {
    const { cluster } = clusterOf(
      program([f32(5)], (x) => b.pad([x], { low: [2], high: [0], interior: [0], value: 0 })).outputs[0]!,
    )
    const loads = valuesBelow(cluster.stores.map((s) => s.value)).filter((v) => v.kind === 'load')
    expect(loads.map((v) => v.bounds.map(({ low, high }) => [low, high]))).toEqual([[[0, 5]]])
  })

  it('merges sums of sums: a fold of a fold is one reduction', () => {
    const folded = cases.fold[1]!
    expect(kinds(folded.types, folded.f).filter((k) => k === 'reduce')).toHaveLength(1)
  })

  it('holds each value once, however it is reached', () => {
    const twice: Case['f'] = (x) => b.add([b.exp([x], {}), b.exp([b.reshape([x], { shape: [6] })], {})], {})
    expect(kinds([f32(6)], twice)).toEqual(['load', 'alu', 'alu'])
  })
})
