/** Gradients of one size for ten thousand steps: no optimiser makes NaN of finite ones, whatever their size. */
import { describe, expect, it, test } from 'vitest'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import { traceTree } from '../../src/lang/trace.ts'
import * as optim from '../../src/optim/index.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { sharedProcessor } from '../device.ts'

type X = T.Tensor

/** Of both signs. Denormal ones count as 0 on a device; of the large ones no square is in f32. */
const gradients = Float32Array.of(
  ...[0, 1e-45, -1e-38, 1e-30, -1e-25, 1e-19, -1e-10, 0.1],
  ...[-1, 1.21, -1e8, 1e15, -1e18, 1.9e19, -1e25, 1e30],
)

const optimisers: Readonly<Record<string, optim.Optimiser>> = {
  'sgd, clipped': optim.sgd(0.01, { clipNorm: 1 }),
  momentum: optim.sgd(0.01, { momentum: 0.9, dampening: 0.1, weightDecay: 0.01 }),
  adam: optim.adam(),
  'adam without eps': optim.adam(0.001, { eps: 0 }),
  amsgrad: optim.adam(0.01, { amsgrad: true, beta1: 0.5, beta2: 0.9, weightDecay: 0.01 }),
  adagrad: optim.adagrad(),
  'adagrad without eps': optim.adagrad(optim.cosineDecay(0.1, { steps: 1000 }), { eps: 0, rateDecay: 0.1 }),
  rmsprop: optim.rmsprop(optim.warmup(0.01, { steps: 10 })),
  'rmsprop, centred': optim.rmsprop(0.01, { centered: true, alpha: 0.9 }),
  'rmsprop, centred, with momentum': optim.rmsprop(0.01, { centered: true, momentum: 0.9 }),
  adadelta: optim.adadelta(),
  'adadelta without eps': optim.adadelta(1, { eps: 0 }),
}
/** What is run on the processor only: the same arithmetic in other orders, dear to compile for a GPU in software. */
const kin: typeof optimisers = {
  adamw: optim.adamw(0.001, { amsgrad: true }),
  nadam: optim.nadam(0.002, { weightDecay: 0.01 }),
  'nadam without eps': optim.nadam(0.002, { eps: 0 }),
  adamax: optim.adamax(),
  'adamax without eps': optim.adamax(0.002, { eps: 0 }),
  radam: optim.radam(),
  'radam without eps, a short average': optim.radam(0.001, { eps: 0, beta2: 0.9 }),
  lion: optim.lion(0.001, { weightDecay: 0.1 }),
  lamb: optim.lamb(0.001, { weightDecay: 0.1 }),
  'lamb without eps': optim.lamb(0.001, { eps: 0 }),
  'sgd, clipped by parts': optim.optimiser(optim.clipByNorm(1), optim.clipByBlockRms(0.5), optim.scaleByRate(0.01)),
  'sgd, as long as what it changes': optim.optimiser(optim.scaleByTrustRatio(), optim.scaleByRate(0.001)),
  'adam of the mean of three': optim.applyIfFinite(optim.accumulate(3, optim.adam())),
}
const every = { ...optimisers, ...kin }

/** All parameters after `count` steps of one gradient, for every gradient. */
const trained = (named: typeof optimisers, count: number) =>
  T.vmap((g: X) => {
    const list = Object.values(named)
    const params = list.map(() => T.ones([1]) as X)
    const start = { params, states: list.map((o, i) => o.init(params[i])) }
    const turn = (_: unknown, now: typeof start): typeof start => {
      const next = list.map((o, i) => o.update(now.params[i]!, T.reshape(g, [1]) as X, now.states[i]!))
      return { params: next.map((n) => n.params), states: next.map((n) => n.state) }
    }
    return T.foriLoop(0, count, turn, start).params.map((p) => T.reshape(p, []))
  }) as (g: X) => readonly X[]

const check = (named: typeof optimisers, results: readonly ArrayLike<number>[]): void => {
  const bad = Object.keys(named).flatMap((name, o) =>
    Array.from(results[o]!, (x, i) =>
      Number.isFinite(x) ? [] : [`${name}: ${x} of gradients of ${gradients[i]}`],
    ).flat(),
  )
  expect(bad).toEqual([])
}

describe('many steps of gradients of one size end in numbers', () => {
  it.each([
    ['the elder', optimisers, 1000],
    ['their kin', kin, 200],
  ] as const)('on the interpreter, in single precision: %s', (_, named, steps) => {
    const { graph } = traceTree(trained(named, steps) as never, [{ shape: [gradients.length], dtype: 'f32' }])
    const given = { shape: [gradients.length], dtype: 'f32', data: Float64Array.from(gradients) } as const
    check(
      named,
      evaluate(graph, [given], { precision: 'f32' }).map((v) => v.data as Float64Array),
    )
  })
  it('on a device', async () => {
    const given = T.fromArray(gradients, [gradients.length]) as X
    const results = (await T.jit(trained(optimisers, 10_000))(given)) as readonly T.HostTensor[]
    check(
      optimisers,
      results.map((v) => v.data),
    )
  })
  it('on the processor', async () => {
    const device = await sharedProcessor()
    const specs = [T.spec([gradients.length])]
    const program = orThrow(compile(trained(every, 10_000) as never, specs as never, { profile: profileOf(device) }))
    const loaded = await toPromise(program.load(device))
    const results = (await loaded.run(...([gradients] as never))) as unknown as readonly Output[]
    check(every, await Promise.all(results.map(async (r) => (await r.read()) as Float32Array)))
  })
})

test('a gradient of 0 in f16, which has no number as small as eps', () => {
  const p = T.cast(T.tensor([0.5, -2]), 'f16') as X
  const g = T.cast(T.tensor([0, 1e-5]), 'f16') as X
  for (const o of Object.values(every)) {
    const moved = T.reference(o.update(p, g, o.init(p)).params) as T.HostTensor
    expect(Array.from(moved.data).every(Number.isFinite)).toBe(true)
  }
})

test("the correction of Adam's averages keeps its digits from the first step to the millionth", async () => {
  const decays = [0.9, 0.99, 0.999, 0.9999]
  const counts = Int32Array.from([
    ...Array.from({ length: 64 }, (_, i) => i + 1),
    ...Array.from({ length: 100 }, (_, i) => Math.round(64 * (1e6 / 64) ** (i / 99))),
  ])
  // From zero averages and a gradient of 1 the step is (1 - β) / (1 - βᵗ).
  const f = T.vmap((step: X) => {
    const g = T.ones([]) as X
    const one = (beta1: number): X => {
      const stage = optim.scaleByAdam({ beta1, beta2: 0, eps: 0 })
      return stage.apply(g, stage.init(g), g, step)[0]
    }
    return decays.map(one)
  }) as (steps: X) => readonly X[]
  const steps = T.fromArray(
    counts.map((t) => t - 1),
    [counts.length],
  ) as X
  for (const results of [T.reference(f(steps)), await T.jit(f)(steps)] as (readonly T.HostTensor[])[])
    for (const [d, decay] of decays.entries())
      for (const [i, t] of counts.entries()) {
        const want = -(1 - decay) / Math.expm1(t * Math.log(decay))
        expect(Math.abs(results[d]!.data[i]! / want - 1), `1 - ${decay}^${t}`).toBeLessThan(5 * 2 ** -24)
      }
})
