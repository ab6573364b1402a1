import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { errorsOf } from '../../../passes/graph/check.ts'
import { batchGraph } from '../../../passes/transform/batch.ts'
import { grad } from '../../../passes/transform/gradient.ts'
import { jvp } from '../../../passes/transform/jacobian-products.ts'
import { vmap } from '../../../passes/transform/vmap.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import * as T from '../../../src/index.ts'
import { constant } from '../../../src/lang/build.ts'
import { allocate } from '../../../src/lang/dtype.ts'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { substitute } from '../../../src/lang/trace.ts'
import { nodeOf, tensorOf } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'
import { sharedDevice } from '../../device.ts'
import { closeTo, messageOf, numbersOf } from '../graph/numbers.ts'

const size = 3

/** Example `i` of an argument: its own value, then the same numbers turned by a step that differs by input. */
const turned = (v: Value, input: number, i: number): Value => {
  const data = allocate(v.dtype, v.data.length)
  for (let e = 0; e < data.length; e++) data[e] = v.data[(e + i * (input + 1)) % data.length]!
  return { ...v, data }
}

const stackOf = (vs: readonly Value[]): Value => {
  const one = vs[0]!
  const data = allocate(one.dtype, one.data.length * vs.length)
  for (const [i, v] of vs.entries()) data.set(v.data as never, i * one.data.length)
  return { ...one, shape: [vs.length, ...one.shape], data }
}

/** The outputs; undefined where an index is out of range. */
const outputsOf = (graph: Graph, xs: readonly Value[]): readonly Value[] | undefined => {
  try {
    return evaluate(graph, xs)
  } catch (e) {
    if (e instanceof TensorloomError && e.error.tag === 'IndexError') return undefined
    throw e
  }
}

/** Each example of `graph` batched in `flags` against the graph alone, bit by bit; the reason where they differ. */
const differs = ({ graph, inputs }: testing.Sample, flags: readonly boolean[]): string | undefined => {
  const batch = batchGraph(graph, flags, size)
  const wrong = verifyGraph(batch.graph, 'checked')[0]
  if (wrong) return wrong
  const examples = Array.from({ length: size }, (_, i) => {
    const xs = inputs.map((v, k) => (flags[k] ? turned(v, k, i) : v))
    // Turned numbers may not be indices any more; then the example is the sample's own once more.
    const values = outputsOf(graph, xs)
    return values ? { xs, values } : { xs: inputs, values: evaluate(graph, inputs) }
  })
  const stacked = inputs.map((v, k) => (flags[k] ? stackOf(examples.map((e) => e.xs[k]!)) : v))
  const got = evaluate(batch.graph, stacked)
  for (const [k, v] of got.entries()) {
    const want = batch.batched[k] ? stackOf(examples.map((e) => e.values[k]!)) : examples[0]!.values[k]!
    if (v.dtype !== want.dtype || v.shape.join() !== want.shape.join())
      return `output ${k}: ${v.shape} for ${want.shape}`
    const at = want.data.findIndex((x, e) => !Object.is(x, v.data[e]))
    if (at >= 0) return `output ${k}, element ${at}: ${v.data[at]} together, ${want.data[at]} alone`
  }
  return undefined
}

describe('batchGraph', () => {
  it('is f example by example on random graphs, exactly, whichever inputs are batched', () => {
    fc.assert(
      fc.property(testing.arbGraph({ maxNodes: 14, maxElements: 64 }), fc.nat(255), (sample, bits) => {
        const flags = sample.inputs.map((_, i) => ((bits >> (i % 8)) & 1) === 1)
        expect(differs(sample, flags)).toBeUndefined()
      }),
      { seed: 42, numRuns: 300 },
    )
  })
})

const tens = T.reshape(T.mul(T.arange(12), 10), [3, 4])
const square = T.reshape(T.cast(T.arange(12), 'f32'), [3, 4])

describe('vmap', () => {
  it('moves the batch axis from where inAxes says to where outAxes says', () => {
    const f = (x: T.Tensor, y: T.Tensor): T.Tensor => T.sub(x, T.reshape(y, [1, 4]))
    const x = T.reshape(T.arange(24), [2, 4, 3])
    const y = T.permuteDims(tens, [1, 0])
    const one = vmap(f, { inAxes: [-1, 1], outAxes: -1 })(x, y)
    const two = vmap(f, { inAxes: [2, -1], outAxes: 1 })(x, y)
    expect([one.shape, two.shape]).toEqual([
      [2, 4, 3],
      [2, 3, 4],
    ])
    expect(numbersOf(one)).toEqual(numbersOf(T.sub(x, T.reshape(y, [1, 4, 3]))))
    expect(numbersOf(two)).toEqual(numbersOf(T.permuteDims(T.sub(x, T.reshape(y, [1, 4, 3])), [0, 2, 1])))
    testing.checkVmap(f, [x, y], { inAxes: [-1, 1], outAxes: -2 })
  })

  it('takes trees, axes that follow them, and arguments that are no tensors', () => {
    const f = (p: { w: T.Tensor; b: readonly [T.Tensor, T.Tensor] }, power: number): { y: T.Tensor; c: T.Tensor } => ({
      y: T.add(T.pow(T.add(p.w, p.b[0]), power), p.b[1]),
      c: T.mul(p.b[1], 2),
    })
    const p = { w: tens, b: [T.tensor([1, 2, 3]), T.tensor(5)] } as const
    const axes = { inAxes: [{ w: 0, b: [0, null] }, null], outAxes: { y: 0, c: null } } as const
    const got = vmap(f, axes)(p, 2)
    expect(numbersOf(got)).toEqual(
      numbersOf({ y: T.add(T.square(T.add(tens, T.tensor([[1], [2], [3]]))), 5), c: T.tensor(10) }),
    )
    testing.checkVmap(f, [p, 2], axes)
  })

  it('repeats a result that depends on no batched argument', () => {
    const shared = vmap((x: T.Tensor) => [T.sum(x), T.tensor([7, 8])] as const, { outAxes: [0, 1] })(tens)
    expect(shared[1].shape).toEqual([2, 3])
    expect(numbersOf(shared)).toEqual([
      [60, 220, 380],
      [7, 7, 7, 8, 8, 8],
    ])
  })

  it('nests: pairwise distances of two sets', () => {
    const distance = (x: T.Tensor, y: T.Tensor): T.Tensor => T.sum(T.square(T.sub(x, y)))
    const pairs = vmap((x: T.Tensor) => vmap((y: T.Tensor) => distance(x, y))(tens))(
      T.tensor([
        [0, 0, 0, 0],
        [0, 10, 20, 30],
      ]),
    )
    expect(pairs.shape).toEqual([2, 3])
    const rows = [0, 40, 80].map((first) => [0, 10, 20, 30].map((k) => first + k))
    const from = [
      [0, 0, 0, 0],
      [0, 10, 20, 30],
    ]
    const squares = from.flatMap((p) => rows.map((q) => q.reduce((sum, v, k) => sum + (v - p[k]!) ** 2, 0)))
    expect(numbersOf(pairs)).toEqual([squares])
  })

  it('of random draws from a batch of keys is the draw of each key', () => {
    const keys = random.split(random.key(7), 3)
    const draw = (k: T.Tensor): readonly T.Tensor[] => [random.normal(k, [2]), random.uniform(random.foldIn(k, 3), [])]
    testing.checkVmap(draw, [keys])
    expect(vmap(draw)(keys).map((x) => x.shape)).toEqual([[3, 2], [3]])
  })

  it('works on empty batches', () => {
    const y = vmap((x: T.Tensor) => nn.softmax(T.exp(x)))(T.zeros([0, 4]))
    expect([y.shape, numbersOf(y)]).toEqual([[0, 4], [[]]])
  })
})

/** A perceptron of two layers and its loss on one example. */
const loss = (p: { w: T.Tensor; b: T.Tensor; v: T.Tensor }, x: T.Tensor, y: T.Tensor): T.Tensor =>
  T.mean(T.square(T.sub(T.matmul(T.tanh(T.add(T.matmul(x, p.w), p.b)), p.v), y)))

const params = {
  w: random.normal(random.key(1), [4, 5]),
  b: random.normal(random.key(2), [5]),
  v: random.normal(random.key(3), [5, 2]),
}
const [xs, ys] = [random.normal(random.key(4), [3, 4]), random.normal(random.key(5), [3, 2])]
const rowOf = (x: T.Tensor, i: number): T.Tensor => T.reshape(T.narrow(x, i, 1, { axis: 0 }), x.shape.slice(1))

describe('derivatives and batches', () => {
  it('vmap of grad gives the gradient of every example', () => {
    const each = vmap(grad(loss), { inAxes: [null, 0, 0] })(params, xs, ys)
    expect(each.w.shape).toEqual([3, 4, 5])
    for (let i = 0; i < 3; i++)
      closeTo(
        T.mapTree(each, (g) => rowOf(g, i)),
        grad(loss)(params, rowOf(xs, i), rowOf(ys, i)),
      )
  })

  it('grad of vmap is the sum of them', () => {
    const total = (p: typeof params): T.Tensor => T.sum(vmap(loss, { inAxes: [null, 0, 0] })(p, xs, ys))
    const each = vmap(grad(loss), { inAxes: [null, 0, 0] })(params, xs, ys)
    closeTo(
      grad(total)(params),
      T.mapTree(each, (g) => T.sum(g, { axis: 0 })),
    )
    testing.checkGrad(total, [params])
  })

  it('jvp and vmap change places', () => {
    const f = (x: T.Tensor): T.Tensor => nn.softmax(T.mul(x, x))
    const inside = vmap((x: T.Tensor, d: T.Tensor) => jvp(f, [x], [d]))(xs, T.cos(xs))
    closeTo(inside, jvp(vmap(f), [xs], [T.cos(xs)]), 6)
  })

  it('computes what the examples share once', () => {
    const nodes = (count: number): number => {
      const shared = (x: T.Tensor): T.Tensor => T.add(x, T.sum(T.exp(T.matmul(params.w, params.v))))
      return topological([nodeOf(vmap(shared)(T.zeros([count])))]).filter((n) => n.op === 'exp').length
    }
    expect([nodes(1), nodes(50)]).toEqual([1, 1])
  })
})

describe('mistakes', () => {
  const add = (x: T.Tensor, y: T.Tensor): T.Tensor => T.add(x, y)
  it.each<[string, () => unknown, string]>([
    [
      'sizes that differ',
      () => vmap(add, { inAxes: [0, 1] })(tens, tens),
      'vmap: batch sizes differ: argument 0 has 3 along axis 0, argument 1 has 4 along axis 1',
    ],
    [
      'a leaf of another size',
      () => vmap((p: { a: T.Tensor; b: T.Tensor[] }) => p.a)({ a: tens, b: [T.ones([2])] }),
      'argument 0 .a has 3 along axis 0, argument 0 .b[0] has 2 along axis 0',
    ],
    [
      'an axis out of range',
      () => vmap(add, { inAxes: [2, null] })(tens, tens),
      'inAxes gives axis 2 for argument 0, which is i32[3, 4]',
    ],
    ['a scalar', () => vmap(add)(tens, T.tensor(1)), 'inAxes gives axis 0 for argument 1, which is i32[]'],
    [
      'an output axis out of range',
      () => vmap(add, { outAxes: 3 })(tens, tens),
      'outAxes gives axis 3 for the result, which is i32[3, 4]',
    ],
    ['nothing batched', () => vmap(add, { inAxes: null })(tens, tens), 'no argument is batched'],
    ['no argument', () => vmap(() => tens)(), 'no argument is batched'],
    [
      'a batched result under null',
      () => vmap((x: T.Tensor) => [x], { outAxes: [null] })(tens),
      'outAxes gives null for the result [0], which depends on a batched argument',
    ],
    [
      'axes of another length',
      () => vmap(add as (...x: T.Tensor[]) => T.Tensor, { inAxes: [0] })(tens, tens),
      'inAxes does not fit the arguments: 1 entries for 2',
    ],
    [
      'axes without a key',
      () => vmap((p: { a: T.Tensor; b: T.Tensor }) => p.a, { inAxes: [{ a: 0 }] as never })({ a: tens, b: tens }),
      "inAxes does not fit argument 0: only one of them has 'b'",
    ],
    [
      'a list for a tensor',
      () => vmap(add, { inAxes: [[0], 0] as never })(tens, tens),
      'inAxes does not fit argument 0: it has a list where the tree has none',
    ],
    ['half an axis', () => vmap(add, { inAxes: 0.5 })(tens, tens), 'inAxes gives axis 0.5 for argument 0'],
  ])('%s: a UsageError that names the leaf', (_, call, message) => {
    expect(messageOf(call)).toContain(message)
    expect(messageOf(call)).toMatch(/^UsageError .*\n {2}hint: /s)
  })

  it('inside the function are reported once, with the shapes of one example', () => {
    const y = vmap((x: T.Tensor) => T.exp(T.add(x, T.ones([5]))))(tens as T.Tensor)
    const errors = errorsOf({ inputs: [], outputs: [nodeOf(y)] })
    expect(errors.map((e) => `${e.op} ${e.operands.map((o) => o.shape)}`)).toEqual(['T.add 4,5'])
  })

  it('in an argument poison what depends on it in silence', () => {
    const wrong = T.add(tens as T.Tensor, T.ones([5]))
    const both = vmap((x: T.Tensor, y: T.Tensor) => [T.add(x, y), T.neg(x)] as const)(tens, wrong)
    const only = vmap((x: T.Tensor) => [T.neg(x), T.ones([2])] as const)(wrong)
    expect(errorsOf({ inputs: [], outputs: [...both, ...only].map(nodeOf) })).toHaveLength(1)
    expect(numbersOf(both[1])).toEqual(numbersOf(T.neg(tens)))
  })
})

describe('laws', () => {
  it('checkVmap says where a batch differs', () => {
    testing.checkVmap((x: T.Tensor) => nn.layerNorm(x, {}), [square])
    expect(() => testing.checkVmap((x: T.Tensor) => x, [T.ones([0, 2])])).toThrow('the batch is empty')
    let call = 0
    const changes = (x: T.Tensor): T.Tensor => T.mul(x, T.tensor([1, 1, call++ === 2 ? 2 : 1, 1]))
    expect(() => testing.checkVmap(changes, [square])).toThrow(
      'checkVmap: the result, example 1, element 2: 6 together, 12 alone',
    )
  })

  it('checkShape accepts every op of the table', () => {
    fc.assert(
      fc.property(testing.arbGraph({ maxNodes: 14 }), ({ inputs, graph }) => {
        const tensors = inputs.map((v) => tensorOf(constant(v, v.data)))
        testing.checkShape(
          (...xs: readonly T.Tensor[]) => substitute(graph.outputs, graph.inputs, xs.map(nodeOf)) as never,
          tensors,
        )
      }),
      { seed: 42, numRuns: 60 },
    )
  })
})

describe('on a device', () => {
  it('a batched program is one program that agrees with the interpreter', async () => {
    const all = (p: typeof params, x: T.Tensor, y: T.Tensor, keys: T.Tensor): unknown => [
      vmap(grad(loss), { inAxes: [null, 0, 0] })(p, x, y),
      vmap((u: T.Tensor) => nn.softmax(T.sin(u)), { inAxes: 1, outAxes: 1 })(x),
      vmap((k: T.Tensor) => random.uniform(k, [3]))(keys),
    ]
    const device = await sharedDevice()
    expect(await testing.agreesWithReference(all, [params, xs, ys, random.split(random.key(9), 2)], { device })).toBe(
      true,
    )
  })
})

describe('types', () => {
  type F = (x: T.Tensor<readonly [4], 'f32'>, n: number) => { y: T.Tensor<readonly [2], 'i32'> }
  const f: F = (_x, _n) => ({ y: T.tensor([1, 2]) as T.Tensor<readonly [2], 'i32'> })
  it('a batched tensor has one more axis, what is under null is as it was', () => {
    const g = vmap(f, { inAxes: [0, null] })
    expectTypeOf(g).parameters.toEqualTypeOf<[T.Tensor<readonly [number, 4], 'f32'>, number]>()
    expectTypeOf(g).returns.toEqualTypeOf<{ readonly y: T.Tensor<readonly [number, 2], 'i32'> }>()
    expectTypeOf(vmap(f, { inAxes: [0, null], outAxes: 1 })).returns.toEqualTypeOf<{
      readonly y: T.Tensor<readonly number[], 'i32'>
    }>()
    // @ts-expect-error the batch has examples of four numbers
    expect(() => g(T.ones([3, 5]), 1)).not.toThrow()
  })
})
