/**
 * The optimisers that the goldens lack against their papers' recurrences in plain numbers: 200 steps from gradients of every size,
 * on the interpreter and on the processor.
 */
import { describe, expect, it } from 'vitest'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { checkGrad } from '../../src/testing/index.ts'
import { sharedProcessor } from '../device.ts'

type X = T.Tensor
type Row = readonly number[]

const steps = 200
/** Sizes of the gradients of each element; one of them 0, one that changes its size all the time. */
const scales = [1e-12, 1e-8, 1e-4, 0.1, 1, 1e4, 1e8, 1e12, 0] as const
const start: Row = [0.5, -1, 2, -0.25, 1, -3, 0.75, -0.5, 1, 1.25]
const wave = (t: number, i: number): number => Math.sin(1.7 * t + i) + 0.4 * Math.cos(0.3 * t * (i + 1))
const gradients: readonly Row[] = Array.from({ length: steps }, (_, t) =>
  [...scales.map((s, i) => s * wave(t, i)), 10 ** (6 * Math.sin(t)) * wave(t, 7)].map(Math.fround),
)

/** The step of a whole tensor in plain numbers, t from 1; `s` holds what is kept between steps. */
type Recurrence = (p: Row, g: Row, t: number, s: Record<string, Row>) => Row

const zeros = start.map(() => 0)
const zip = (f: (...xs: number[]) => number, ...rows: readonly Row[]): Row =>
  rows[0]!.map((_, i) => f(...rows.map((r) => r[i]!)))
/** decay·a + (1 - decay)·x under a name. */
const average = (s: Record<string, Row>, name: string, decay: number, xs: Row): Row =>
  (s[name] = zip((a, x) => decay * a + (1 - decay) * x, s[name] ?? zeros, xs))
const squares = (g: Row): Row => g.map((x) => x * x)
const norm = (xs: Row): number => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0))

const nadam =
  (rate: number, decay: number, isDecoupled: boolean): Recurrence =>
  (p0, g0, t, s) => {
    const p = isDecoupled ? p0.map((x) => x * (1 - rate * decay)) : p0
    const g = isDecoupled ? g0 : zip((a, x) => a + decay * x, g0, p0)
    const mu = (n: number): number => 0.9 * (1 - 0.5 * 0.96 ** (n * 0.004))
    const product = (s['product']?.[0] ?? 1) * mu(t)
    s['product'] = [product]
    const [m, v] = [average(s, 'm', 0.9, g), average(s, 'v', 0.999, squares(g))]
    return zip(
      (x, gi, mi, vi) => {
        const spread = Math.sqrt(vi / (1 - 0.999 ** t)) + 1e-8
        const ahead = mu(t + 1)
        return x - (rate * (((1 - mu(t)) / (1 - product)) * gi + (ahead / (1 - product * ahead)) * mi)) / spread
      },
      p,
      g,
      m,
      v,
    )
  }

const adamax =
  (rate: number): Recurrence =>
  (p, g, t, s) => {
    const m = average(s, 'm', 0.9, g)
    const u = (s['u'] = zip((old, x) => Math.max(0.999 * old, Math.abs(x) + 1e-8), s['u'] ?? zeros, g))
    return zip((x, mi, ui) => x - ((rate / (1 - 0.9 ** t)) * mi) / ui, p, m, u)
  }

const radam =
  (rate: number, beta2: number): Recurrence =>
  (p, g, t, s) => {
    const [m, v] = [average(s, 'm', 0.9, g), average(s, 'v', beta2, squares(g))]
    const longest = 2 / (1 - beta2) - 1
    const length = longest - (2 * t * beta2 ** t) / (1 - beta2 ** t)
    const rectified = Math.sqrt(((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length))
    return zip(
      (x, mi, vi) => {
        const first = mi / (1 - 0.9 ** t)
        return (
          x - rate * (length > 5 ? (first * rectified * Math.sqrt(1 - beta2 ** t)) / (Math.sqrt(vi) + 1e-8) : first)
        )
      },
      p,
      m,
      v,
    )
  }

const lion =
  (rate: number, decay: number): Recurrence =>
  (p, g, _t, s) => {
    const old = s['m'] ?? zeros
    s['m'] = zip((a, x) => 0.99 * a + 0.01 * x, old, g)
    return zip((x, gi, mi) => x - rate * (Math.sign(0.9 * mi + 0.1 * gi) + decay * x), p, g, old)
  }

const lamb =
  (rate: number, decay: number): Recurrence =>
  (p, g, t, s) => {
    const [m, v] = [average(s, 'm', 0.9, g), average(s, 'v', 0.999, squares(g))]
    const r = zip((x, mi, vi) => mi / (1 - 0.9 ** t) / (Math.sqrt(vi / (1 - 0.999 ** t)) + 1e-6) + decay * x, p, m, v)
    const ratio = norm(p) > 0 && norm(r) > 0 ? norm(p) / norm(r) : 1
    return zip((x, u) => x - rate * ratio * u, p, r)
  }

const adamw =
  (rate: number, decay: number, amsgrad: boolean): Recurrence =>
  (p0, g, t, s) => {
    const p = p0.map((x) => x * (1 - rate * decay))
    const [m, v] = [average(s, 'm', 0.9, g), average(s, 'v', 0.999, squares(g))]
    const most = (s['most'] = zip(Math.max, s['most'] ?? zeros, v))
    const second = amsgrad ? most : v
    return zip(
      (x, mi, vi) => x - (rate * (mi / (1 - 0.9 ** t))) / (Math.sqrt(vi / (1 - 0.999 ** t)) + 1e-8),
      p,
      m,
      second,
    )
  }

const cases: Readonly<Record<string, readonly [optim.Optimiser, Recurrence]>> = {
  nadam: [optim.nadam(), nadam(0.002, 0, false)],
  'nadam, decayed': [optim.nadam(0.01, { weightDecay: 0.1 }), nadam(0.01, 0.1, false)],
  'nadam, decoupled': [optim.nadam(0.01, { weightDecay: 0.1, decoupledWeightDecay: true }), nadam(0.01, 0.1, true)],
  adamax: [optim.adamax(), adamax(0.002)],
  radam: [optim.radam(), radam(0.001, 0.999)],
  'radam, never rectified': [optim.radam(1e-6, { beta2: 0.6 }), radam(1e-6, 0.6)],
  'radam, a long average': [optim.radam(0.001, { beta2: 0.9999 }), radam(0.001, 0.9999)],
  lion: [optim.lion(), lion(0.0001, 0)],
  'lion, decayed': [optim.lion(0.01, { weightDecay: 0.1 }), lion(0.01, 0.1)],
  lamb: [optim.lamb(), lamb(0.001, 0)],
  'lamb, decayed': [optim.lamb(0.01, { weightDecay: 0.1 }), lamb(0.01, 0.1)],
  adamw: [optim.adamw(), adamw(0.001, 0.01, false)],
  'adamw, amsgrad': [optim.adamw(0.01, { weightDecay: 0.1, amsgrad: true }), adamw(0.01, 0.1, true)],
}
const list = Object.values(cases).map(([o]) => o)

/** Parameters after every step of every optimiser: [steps, elements] each. */
const trained = (p: X, gs: X): readonly X[] => {
  const first = { params: list.map(() => p), states: list.map((o) => o.init(p)) }
  const [, paths] = T.scan(
    (now: typeof first, g: X) => {
      const next = list.map((o, i) => o.update(now.params[i]!, g, now.states[i]!))
      const params = next.map((n) => n.params)
      return [{ params, states: next.map((n) => n.state) }, params] as const
    },
    first,
    gs,
  )
  return paths as unknown as readonly X[]
}

/** What the recurrence gives, and how far it moved up to each step: what rounding is measured by. */
const expected = (recurrence: Recurrence): readonly (readonly [Row, Row])[] => {
  let p = start
  let moved: Row = start.map(Math.abs)
  const s: Record<string, Row> = {}
  return gradients.map((g, i) => {
    const next = recurrence(p, g, i + 1, s)
    moved = zip((sum, a, b) => sum + Math.abs(a - b), moved, p, next)
    p = next
    return [p, moved]
  })
}

const check = (paths: readonly ArrayLike<number>[], tolerance: number): void => {
  for (const [o, [name, [, recurrence]]] of Object.entries(cases).entries())
    for (const [t, [want, moved]] of expected(recurrence).entries())
      for (const [i, x] of want.entries())
        expect(
          Math.abs(paths[o]![t * start.length + i]! - x) / moved[i]!,
          `${name}: step ${t}, element ${i} of ${x}`,
        ).toBeLessThan(tolerance)
}

const given = T.tensor(start as number[], { dtype: 'f32' }) as X
const allGradients = T.tensor(gradients.map((g) => [...g])) as X

describe('200 steps from gradients of every size follow the recurrence', () => {
  it('on the interpreter', () => {
    check(
      (T.reference(trained(given, allGradients)) as readonly T.HostTensor[]).map((x) => x.data),
      2e-6,
    )
  })

  it('on the processor', async () => {
    const device = await sharedProcessor()
    const specs = [T.spec([start.length]), T.spec([steps, start.length])]
    const program = orThrow(compile(trained as never, specs as never, { profile: profileOf(device) }))
    const loaded = await toPromise(program.load(device))
    const results = (await loaded.run(
      ...([Float32Array.from(start), Float32Array.from(gradients.flat())] as never),
    )) as unknown as readonly Output[]
    check(await Promise.all(results.map(async (r) => (await r.read()) as Float32Array)), 1e-5)
  })
})

it('steps have slopes, in parameters and gradients', () => {
  for (const o of [optim.nadam(0.1), optim.adamax(0.1), optim.radam(0.1), optim.lamb(0.1, { weightDecay: 0.1 })]) {
    const twice = (p: X, g: X): X => {
      const first = o.update(p, g, o.init(p))
      const { params } = o.update(first.params, T.mul(g, p) as X, first.state)
      return T.sum(T.square(params)) as X
    }
    checkGrad(twice as never, [T.tensor([0.5, -1.25, 2]), T.tensor([0.3, 1.5, -0.75])] as never, { order: 1 })
  }
})
