import { describe, expect, it } from 'vitest'
import { build, freshInputs, typeOf } from '../../src/lang/build.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Node, NodeOf } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { full } from '../../src/lang/tensor/index.ts'
import { flattenTree, isTensor, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../../src/lang/types/tensor.ts'
import {
  adadelta,
  adagrad,
  adam,
  adamw,
  cosineDecay,
  exponentialDecay,
  type Optimiser,
  type OptimiserState,
  rmsprop,
  type Schedule,
  sgd,
  stepDecay,
  warmup,
} from '../../src/optim/index.ts'

interface Params {
  readonly w: Tensor
  readonly b: readonly [Tensor]
}

const vector = { shape: [3], dtype: 'f32' } as const
const scalar = { shape: [], dtype: 'f32' } as const
const start: readonly number[] = [0.7, 1.5, -2, 0.25]
/** Gradients of step t: fixed numbers of both signs and several sizes, element 0 being b. */
const gradient = (t: number): readonly number[] => [0.3 - 0.1 * t, Math.cos(2 * t) * 3, -0.02 * (t + 1), 1 / (t + 1)]

const asValues = (flat: readonly number[]): readonly Value[] => [
  { ...scalar, data: Float64Array.of(flat[0]!) },
  { ...vector, data: Float64Array.from(flat.slice(1)) },
]

/** Runs an optimiser as one graph per step, state handed on as numbers; gives the parameters after every step. */
const run = (optimiser: Optimiser, steps: number): readonly (readonly number[])[] => {
  const [b, w, db, dw] = freshInputs([scalar, vector, scalar, vector])
  const t = (n: Node): Tensor => tensorOf(n)
  const params: Params = { w: t(w!), b: [t(b!)] }
  const initial = flattenTree(optimiser.init(params), isTensor)
  const inputs = freshInputs(initial.leaves.map((x) => typeOf(nodeOf(x))))
  const state = unflattenTree(initial.shape, inputs) as OptimiserState
  const next = optimiser.update(params, { w: t(dw!), b: [t(db!)] }, state)
  const after = flattenTree(next.state, isTensor)
  expect(after.paths).toEqual(initial.paths)
  after.leaves.forEach((x, i) => {
    expect(typeOf(nodeOf(x))).toEqual(typeOf(nodeOf(initial.leaves[i]!)))
  })
  const graph = {
    inputs: [b, w, db, dw, ...inputs] as NodeOf<'input'>[],
    outputs: [next.params.b[0], next.params.w, ...after.leaves].map(nodeOf),
  }
  let values = asValues(start)
  let states = evaluate({ inputs: [], outputs: initial.leaves.map(nodeOf) }, [])
  return Array.from({ length: steps }, (_, i) => {
    const out = evaluate(graph, [...values, ...asValues(gradient(i)), ...states])
    values = out.slice(0, 2)
    states = out.slice(2)
    return values.flatMap((v) => Array.from(v.data))
  })
}

/** An independent update of one element in plain numbers; `s` is its own memory, t counts from 0. */
type Update = (p: number, g: number, s: { [key: string]: number }, t: number) => number

const byHand = (update: Update, steps: number, clip?: number): readonly (readonly number[])[] => {
  let p = start
  const memory = start.map(() => ({}))
  return Array.from({ length: steps }, (_, t) => {
    const g = gradient(t)
    const norm = Math.sqrt(g.reduce((sum, x) => sum + x * x, 0))
    const factor = clip === undefined ? 1 : Math.min(1, clip / (norm + 1e-6))
    p = p.map((x, i) => update(x, g[i]! * factor, memory[i]!, t))
    return p
  })
}

const adamStep =
  (lr: number, [b1, b2]: readonly [number, number], eps = 1e-8): Update =>
  (p, g, s, t) => {
    s['m'] = b1 * (s['m'] ?? 0) + (1 - b1) * g
    s['v'] = b2 * (s['v'] ?? 0) + (1 - b2) * g * g
    return p - (lr * (s['m'] / (1 - b1 ** (t + 1)))) / (Math.sqrt(s['v'] / (1 - b2 ** (t + 1))) + eps)
  }

const momentumStep =
  (lr: number, momentum: number, dampening: number, nesterov: boolean, decay: number): Update =>
  (p, g0, s, t) => {
    const g = g0 + decay * p
    s['b'] = t === 0 ? g : momentum * s['b']! + (1 - dampening) * g
    return p - lr * (nesterov ? g + momentum * s['b'] : s['b'])
  }

const cases: readonly [string, Optimiser, Update, number?][] = [
  ['sgd', sgd(0.1), (p, g) => p - 0.1 * g],
  ['sgd with weight decay', sgd(0.1, { weightDecay: 0.01 }), (p, g) => p - 0.1 * (g + 0.01 * p)],
  ['sgd, clipped', sgd(0.1, { clipNorm: 0.5 }), (p, g) => p - 0.1 * g, 0.5],
  ['sgd, clipped at a norm never reached', sgd(0.1, { clipNorm: 50 }), (p, g) => p - 0.1 * g],
  ['momentum', sgd(0.05, { momentum: 0.9 }), momentumStep(0.05, 0.9, 0, false, 0)],
  [
    'momentum, dampened and decayed',
    sgd(0.05, { momentum: 0.9, dampening: 0.2, weightDecay: 0.01 }),
    momentumStep(0.05, 0.9, 0.2, false, 0.01),
  ],
  ['nesterov', sgd(0.05, { momentum: 0.9, nesterov: true }), momentumStep(0.05, 0.9, 0, true, 0)],
  ['adam', adam(), adamStep(0.001, [0.9, 0.999])],
  [
    'adam with other betas and decay',
    adam(0.01, { beta1: 0.8, beta2: 0.99, eps: 1e-3, weightDecay: 0.1 }),
    (p, g, s, t) => adamStep(0.01, [0.8, 0.99], 1e-3)(p, g + 0.1 * p, s, t),
  ],
  ['adam with beta1 = 0', adam(0.01, { beta1: 0 }), adamStep(0.01, [0, 0.999])],
  [
    'amsgrad',
    adam(0.01, { beta2: 0.9, amsgrad: true }),
    (p, g, s, t) => {
      s['m'] = 0.9 * (s['m'] ?? 0) + 0.1 * g
      s['v'] = 0.9 * (s['v'] ?? 0) + 0.1 * g * g
      s['most'] = Math.max(s['most'] ?? 0, s['v'])
      return p - (0.01 * (s['m'] / (1 - 0.9 ** (t + 1)))) / (Math.sqrt(s['most'] / (1 - 0.9 ** (t + 1))) + 1e-8)
    },
  ],
  [
    'adamw',
    adamw(0.01, { weightDecay: 0.1 }),
    (p, g, s, t) => adamStep(0.01, [0.9, 0.999])(p * (1 - 0.01 * 0.1), g, s, t),
  ],
  ['adamw, default decay', adamw(0.1), (p, g, s, t) => adamStep(0.1, [0.9, 0.999])(p * (1 - 0.1 * 0.01), g, s, t)],
  [
    'adagrad',
    adagrad(0.1, { rateDecay: 0.01, weightDecay: 0.01, initial: 0.5 }),
    (p, g0, s, t) => {
      const g = g0 + 0.01 * p
      s['s'] = (s['s'] ?? 0.5) + g * g
      return p - ((0.1 / (1 + t * 0.01)) * g) / (Math.sqrt(s['s']) + 1e-10)
    },
  ],
  [
    'rmsprop',
    rmsprop(0.01, { alpha: 0.95, eps: 1e-6 }),
    (p, g, s) => {
      s['s'] = 0.95 * (s['s'] ?? 0) + 0.05 * g * g
      return p - (0.01 * g) / (Math.sqrt(s['s']) + 1e-6)
    },
  ],
  [
    'rmsprop, centred, with momentum',
    rmsprop(0.01, { centered: true, momentum: 0.9 }),
    (p, g, s) => {
      s['s'] = 0.99 * (s['s'] ?? 0) + 0.01 * g * g
      s['a'] = 0.99 * (s['a'] ?? 0) + 0.01 * g
      s['b'] = 0.9 * (s['b'] ?? 0) + g / (Math.sqrt(s['s'] - s['a'] ** 2) + 1e-8)
      return p - 0.01 * s['b']
    },
  ],
  [
    'adadelta',
    adadelta(),
    (p, g, s) => {
      s['s'] = 0.9 * (s['s'] ?? 0) + 0.1 * g * g
      const u = (Math.sqrt((s['d'] ?? 0) + 1e-6) / Math.sqrt(s['s'] + 1e-6)) * g
      s['d'] = 0.9 * (s['d'] ?? 0) + 0.1 * u * u
      return p - u
    },
  ],
  ['sgd with a schedule', sgd(exponentialDecay(0.1, { gamma: 0.5 })), (p, g, _s, t) => p - 0.1 * 0.5 ** t * g],
  [
    'adamw with a warm-up',
    adamw(warmup(0.01, { steps: 3 }), { weightDecay: 0.1 }),
    (p, g, s, t) => {
      const lr = 0.01 * Math.min(1, (t + 1) / 3)
      return adamStep(lr, [0.9, 0.999])(p * (1 - lr * 0.1), g, s, t)
    },
  ],
]

describe('optimisers', () => {
  it.each(cases)('%s takes the steps computed by hand', (_, optimiser, update, clip) => {
    const [got, want] = [run(optimiser, 8), byHand(update, 8, clip)]
    for (const [t, row] of want.entries()) {
      // Constants are f32, hence the tolerance; the arithmetic is Float64 on both sides.
      for (const [i, x] of row.entries()) expect(Math.abs(got[t]![i]! - x)).toBeLessThan(2e-6 * (1 + Math.abs(x)))
    }
  })

  it('stay finite and right after many steps: the correction of Adam vanishes', () => {
    const at = (n: number): number => {
      const [step] = freshInputs([{ shape: [], dtype: 'i32' }])
      const params = full([], 0)
      const optimiser = adam(1, { eps: 0 })
      const first = optimiser.init(params)
      const { params: moved } = optimiser.update(params, full([], 1), { ...first, step: tensorOf(step!) })
      const graph = { inputs: [step!], outputs: [nodeOf(moved)] }
      return evaluate(graph, [{ shape: [], dtype: 'i32', data: Int32Array.of(n) }])[0]!.data[0]!
    }
    // m = 0.1 and v = 0.001 after one gradient of 1, corrected as in step n + 1.
    const want = (n: number): number => -(0.1 / (1 - 0.9 ** (n + 1))) / Math.sqrt(0.001 / (1 - 0.999 ** (n + 1)))
    for (const n of [0, 1, 100, 10_000, 1_000_000]) expect(at(n)).toBeCloseTo(want(n), 5)
  })

  it('refuse parameters without a gradient', () => {
    const [n] = freshInputs([{ shape: [], dtype: 'i32' }])
    expect(() => adam().init({ w: full([2], 0), seen: tensorOf(n!) })).toThrow('parameter seen is i32')
  })

  it('keep one counter on the device, in i32', () => {
    const { step } = adam(cosineDecay(0.1, { steps: 10 })).init({ w: full([2], 0) })
    expect(nodeOf(step)).toBe(build.const([], { shape: [], dtype: 'i32', values: [0] }))
  })
})

describe('schedules', () => {
  const rates = (schedule: Schedule, steps: readonly number[]): readonly number[] => {
    const [t] = freshInputs([{ shape: [], dtype: 'i32' }])
    const graph = { inputs: [t!], outputs: [nodeOf(schedule(tensorOf(t!)))] }
    return steps.map(
      (n) => evaluate(graph, [{ shape: [], dtype: 'i32', data: Int32Array.of(n) }], { precision: 'f32' })[0]!.data[0]!,
    )
  }
  const ts = [0, 1, 2, 4, 5, 9, 10, 20, 29, 30, 99, 100]

  it.each<[string, Schedule, (t: number) => number]>([
    ['steps', stepDecay(0.1, { stepSize: 5, gamma: 0.5 }), (t) => 0.1 * 0.5 ** Math.floor(t / 5)],
    ['steps of three', stepDecay(0.1, { stepSize: 3 }), (t) => 0.1 * 0.1 ** Math.floor(t / 3)],
    ['exponential', exponentialDecay(0.1, { gamma: 0.9 }), (t) => 0.1 * 0.9 ** t],
    [
      'cosine, which stays at its end',
      cosineDecay(0.1, { steps: 20, min: 0.01 }),
      (t) => 0.01 + (0.09 * (1 + Math.cos((Math.PI * Math.min(t, 20)) / 20))) / 2,
    ],
    ['warm-up', warmup(0.1, { steps: 5 }), (t) => 0.1 * Math.min(1, (t + 1) / 5)],
    [
      'warm-up into exponential',
      warmup(exponentialDecay(0.1, { gamma: 0.9 }), { steps: 5 }),
      (t) => 0.1 * 0.9 ** t * Math.min(1, (t + 1) / 5),
    ],
  ])('%s', (_, schedule, want) => {
    const got = rates(schedule, ts)
    for (const [i, t] of ts.entries()) expect(Math.abs(got[i]! - want(t))).toBeLessThan(3e-6 * Math.abs(want(t)) + 1e-8)
  })
})
