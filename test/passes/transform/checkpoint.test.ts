import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simplify } from '../../../passes/graph/simplify.ts'
import { checkpoint } from '../../../passes/transform/checkpoint.ts'
import { grad } from '../../../passes/transform/gradient.ts'
import { hessian, jacfwd } from '../../../passes/transform/jacobian.ts'
import { hvp, jvp } from '../../../passes/transform/jacobian-products.ts'
import { vmap } from '../../../passes/transform/vmap.ts'
import * as T from '../../../src/index.ts'
import { build as b, freshInputs, typeOf } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { topological } from '../../../src/lang/topological.ts'
import { instantiate } from '../../../src/lang/trace.ts'
import { nodeOf, tensorOf } from '../../../src/lang/types/tensor.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'
import { sharedDevice } from '../../device.ts'
import { closeTo, numbersOf } from '../graph/numbers.ts'

const normal = (seed: number, ...shape: number[]): T.Tensor => random.normal(random.key(seed), shape)
const x = normal(1, 3)
const w = normal(2, 3, 3)

/** Captures its weights, as layers do. */
const layer =
  (weights: T.Tensor) =>
  (a: T.Tensor): T.Tensor =>
    T.tanh(T.matmul(T.sin(a), weights))

type Wrap = (f: (a: T.Tensor) => T.Tensor) => (a: T.Tensor) => T.Tensor
const plainly: Wrap = (f) => f
const loss =
  (wrap: Wrap) =>
  (a: T.Tensor, weights: T.Tensor): T.Tensor =>
    T.sum(T.square(wrap(layer(weights))(wrap(layer(weights))(a))))

describe('checkpoint', () => {
  it('keeps value and derivatives in both modes, captured weights included', () => {
    const [one, two] = [loss(plainly), loss(checkpoint)]
    closeTo(two(x, w), one(x, w))
    closeTo(grad(two, { argnums: [0, 1] })(x, w), grad(one, { argnums: [0, 1] })(x, w), 12)
    closeTo(jvp(two, [x, w], [x, w]), jvp(one, [x, w], [x, w]), 12)
    testing.checkGrad(two, [x, w])
  })

  it('keeps second derivatives, however they are taken', () => {
    const [one, two] = [loss(plainly), loss(checkpoint)]
    closeTo(hvp(two, [x, w], [x, w]), hvp(one, [x, w], [x, w]), 10)
    closeTo(hessian(two)(x, w), hessian(one)(x, w), 10)
    const reverseTwice = (f: typeof one) => grad((a: T.Tensor) => T.sum(T.sin(grad(f)(a, w))))(x)
    closeTo(reverseTwice(two), reverseTwice(one), 10)
    closeTo(jacfwd(checkpoint(layer(w)))(x), jacfwd(layer(w))(x), 12)
  })

  it('takes trees, several results, integers, other checkpoints', () => {
    const inner = checkpoint((a: T.Tensor) => T.exp(T.sin(a)))
    const f = checkpoint((p: { a: T.Tensor; n: T.Tensor }, c: readonly [T.Tensor]) => ({
      y: T.mul(inner(p.a), c[0]),
      z: [T.add(p.n, 1), T.sum(T.mul(p.a, T.cast(p.n, 'f32')))],
    }))
    const outer = (a: T.Tensor, c: T.Tensor): T.Tensor => {
      const { y, z } = f({ a, n: T.tensor([1, 2, 3]) }, [c])
      return T.add(T.sum(T.mul(y, T.cast(z[0]!, 'f32'))), z[1]!)
    }
    testing.checkGrad(outer, [x, normal(3, 3)])
    expect(() => checkpoint((a: T.Tensor) => T.add(a, T.ones([5]) as T.Tensor))(x).shape).toThrow('do not broadcast')
  })

  it('goes under and over vmap', () => {
    const xs = normal(4, 4, 3)
    testing.checkVmap((a: T.Tensor, weights: T.Tensor) => checkpoint(layer(weights))(a), [xs, w], { inAxes: [0, null] })
    testing.checkVmap((a: T.Tensor) => grad(loss(checkpoint), { argnums: 1 })(a, w), [xs])
    const all = (wrap: Wrap) => (a: T.Tensor, weights: T.Tensor) =>
      T.sum(vmap((row: T.Tensor) => loss(wrap)(row, weights))(a))
    const over = (wrap: Wrap) => (a: T.Tensor, weights: T.Tensor) =>
      T.sum(wrap((rows: T.Tensor) => vmap(layer(weights))(rows))(a))
    closeTo(grad(all(checkpoint), { argnums: 1 })(xs, w), grad(all(plainly), { argnums: 1 })(xs, w), 10)
    closeTo(grad(over(checkpoint), { argnums: 1 })(xs, w), grad(over(plainly), { argnums: 1 })(xs, w), 10)
  })

  it('computes again what it did not keep, and no pass undoes that', () => {
    const count = (wrap: Wrap): readonly number[] => {
      const [a] = freshInputs([{ shape: [3], dtype: 'f32' }])
      const g = grad((v: T.Tensor) => T.sum(wrap((u: T.Tensor) => T.exp(T.exp(u)))(v)))(tensorOf(a!))
      const value = T.sum(wrap((u: T.Tensor) => T.exp(T.exp(u)))(tensorOf(a!)))
      const { stages } = T.orThrow(
        T.compile(
          (v: T.Tensor) =>
            instantiate({ inputs: [a!], outputs: [nodeOf(g), nodeOf(value)] }, [nodeOf(v)]).map(tensorOf),
          [T.spec([3])],
        ),
      )
      return [stages.at(0)!, stages.at(-1)!].map(
        ({ graph }) => topological(graph.outputs).filter((n) => n.op === 'exp').length,
      )
    }
    expect(count(plainly)).toEqual([2, 2])
    // The first two are hidden in the call until it is put in place; those of the backward pass never merge with them.
    expect(count(checkpoint)).toEqual([2, 4])
  })
})

describe('barrier', () => {
  it('is the identity, but a node of its own that simplification keeps', () => {
    fc.assert(
      fc.property(testing.arbGraph({ maxNodes: 6, specials: false }), ({ graph, inputs }) => {
        const n = graph.outputs[0]!
        const late = b.barrier([n, ...graph.inputs], {})
        expect(late).not.toBe(n)
        expect(typeOf(late)).toEqual(typeOf(n))
        const both = simplify.run({ inputs: graph.inputs, outputs: [n, late] })
        if (both._tag === 'Left') throw new Error('unreachable')
        const [first, second] = both.right.outputs
        expect(second!.op).toBe('barrier')
        const [want, got] = evaluate({ inputs: graph.inputs, outputs: [n, late] }, inputs)
        expect(Array.from(got!.data)).toEqual(Array.from(want!.data))
        expect(first === second).toBe(false)
      }),
      { seed: 42, numRuns: 40 },
    )
  })
})

describe('memory', () => {
  const [width, depth, segments] = [64, 12, 4]
  const weights = Array.from({ length: depth }, () => T.spec([width, width]))
  const step =
    (wrap: Wrap) =>
    (a: T.Tensor, ws: readonly T.Tensor[]): readonly T.Tensor[] =>
      grad((p: readonly T.Tensor[]) => {
        const per = depth / segments
        return T.sum(
          Array.from({ length: segments }).reduce<T.Tensor>(
            (h, _, s) => wrap((u) => p.slice(s * per, (s + 1) * per).reduce((v, m) => T.tanh(T.matmul(v, m)), u))(h),
            a,
          ),
        )
      })(ws)
  const planOf = (wrap: Wrap) => T.orThrow(T.compile(step(wrap), [T.spec([512, width]), weights])).planned

  it("a chain of layers in segments keeps the segments' inputs alone", () => {
    const activation = 512 * width * 4
    // What the program itself makes lies in the arenas from the fifth on.
    const peak = (wrap: Wrap): number =>
      planOf(wrap)
        .plan.arenas.slice(4)
        .reduce((n, bytes) => n + bytes, 0)
    const [all, some] = [peak(plainly), peak(checkpoint)]
    // All depth activations, against the segments' inputs and the activations of one segment.
    expect(all).toBeGreaterThanOrEqual(depth * activation)
    expect(some).toBeLessThan((segments + depth / segments + 4) * activation)
    expect(some).toBeLessThan(0.8 * all)
  })

  it('starts no recomputation before the backward pass gets there', () => {
    const { fusion } = planOf(checkpoint)
    const order = new Map(fusion.kernels.flatMap((k, i) => k.map((f) => [f, i] as const)))
    let waits = 0
    for (const [f, i] of order) {
      for (const n of f.after) {
        const before = [...order].find(([g]) => g.stored.includes(n))
        if (!before) continue
        waits++
        expect(before[1]).toBeLessThan(i)
      }
    }
    expect(waits).toBeGreaterThanOrEqual(segments - 1)
  })
})

describe('on a device', () => {
  it('trains in place, its weights given away and read again by the backward pass', async () => {
    const device = await sharedDevice()
    const train = (wrap: Wrap) => (ws: readonly T.Tensor[], a: T.Tensor) => {
      const net = (p: readonly T.Tensor[]): T.Tensor =>
        T.sum(p.reduce<T.Tensor>((h, m) => wrap((u) => T.tanh(T.matmul(u, m)))(h), a))
      return T.zipTrees(([p, g]) => T.sub(p!, T.mul(g!, 0.1)), ws, grad(net)(ws))
    }
    const start = [2, 3, 4].map((seed) => Array.from(numbersOf(normal(seed, 5, 5))[0]!))
    const rows = numbersOf(normal(5, 7, 5))[0]!
    const run = async (wrap: Wrap): Promise<readonly number[]> => {
      const specs = [start.map(() => T.spec([5, 5])), T.spec([7, 5])] as const
      const loaded = await T.compileOn(device, train(wrap) as never, specs, { donate: [0] })
      const once = await loaded.run(start as never, rows as never)
      const twice = (await loaded.run(once as never, rows as never)) as unknown as readonly T.Output[]
      return (await Promise.all(twice.map((o) => o.read()))).flatMap((v) => Array.from(v as ArrayLike<number>))
    }
    const [want, got] = [await run(plainly), await run(checkpoint)]
    for (const [i, v] of got.entries()) expect(v).toBeCloseTo(want[i]!, 5)
  })

  it('a gradient through checkpoints agrees with the interpreter', async () => {
    const all = (a: T.Tensor, weights: T.Tensor): unknown => [
      grad(loss(checkpoint), { argnums: [0, 1] })(a, weights),
      hvp(loss(checkpoint), [a, weights], [a, weights]),
    ]
    expect(await testing.agreesWithReference(all, [x, w], { device: await sharedDevice() })).toBe(true)
  })
})
