/** Schedules of several pieces, and the plateau, against plain numbers. */
import { describe, expect, it, test } from 'vitest'
import * as T from '../../src/index.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import { traceTree } from '../../src/lang/trace.ts'
import * as optim from '../../src/optim/index.ts'

/** The rates of every step up to before `count`, in f32 as on a device. */
const rates = (schedule: optim.Schedule, count: number): readonly number[] => {
  const { graph } = traceTree(T.vmap(schedule) as never, [{ shape: [count], dtype: 'i32' }])
  const steps = { shape: [count], dtype: 'i32', data: Int32Array.from({ length: count }, (_, i) => i) } as const
  return Array.from(evaluate(graph, [steps], { precision: 'f32' })[0]!.data)
}

const mix = (a: number, b: number, part: number): number => a + (b - a) * part
const wave = (a: number, b: number, part: number): number => b + ((a - b) / 2) * (1 + Math.cos(Math.PI * part))

/** torch's OneCycleLR as it is written there: phases of a start and an end. */
const oneCycle = (
  steps: number,
  [pct, divide, last]: readonly [number, number, number],
  anneal: typeof mix,
  threePhase: boolean,
): ((t: number) => number) => {
  const [most, first] = [0.5, 0.5 / divide]
  const phases = threePhase
    ? ([
        [pct * steps - 1, first, most],
        [2 * pct * steps - 2, most, first],
        [steps - 1, first, first / last],
      ] as const)
    : ([
        [pct * steps - 1, first, most],
        [steps - 1, most, first / last],
      ] as const)
  return (step) => {
    const t = Math.min(step, steps - 1)
    let from = 0
    for (const [i, [end, a, b]] of phases.entries()) {
      if (t <= end || i === phases.length - 1) return anneal(a, b, (t - from) / (end - from))
      from = end
    }
    return Number.NaN
  }
}

describe('schedules', () => {
  const warm = optim.warmup(0.1, { steps: 5 })
  const cosine = optim.cosineDecay(0.1, { steps: 20, min: 0.01 })
  const ofCosine = (t: number): number => wave(0.1, 0.01, Math.min(t, 20) / 20)
  it.each<[string, optim.Schedule, (t: number) => number]>([
    ['linear', optim.linear(0.1, 0.4, { steps: 10 }), (t) => mix(0.1, 0.4, Math.min(t, 10) / 10)],
    ['linear, down to 0', optim.linear(0.1, 0, { steps: 7 }), (t) => mix(0.1, 0, Math.min(t, 7) / 7)],
    ['polynomial', optim.polynomial(0.1, { steps: 10 }), (t) => 0.1 * (1 - Math.min(t, 10) / 10)],
    [
      'polynomial of a power, to a rate',
      optim.polynomial(0.1, { steps: 10, power: 2.5, min: 0.02 }),
      (t) => 0.02 + 0.08 * (1 - Math.min(t, 10) / 10) ** 2.5,
    ],
    ['rates by pieces', optim.joined([0.1, 0.01, 0.001], [4, 9]), (t) => (t < 4 ? 0.1 : t < 9 ? 0.01 : 0.001)],
    ['one piece', optim.joined([cosine], []), ofCosine],
    [
      'a warm-up before a cosine',
      optim.joined([warm, cosine], [5]),
      (t) => (t < 5 ? (0.1 * (t + 1)) / 5 : ofCosine(t - 5)),
    ],
    [
      'three, each from a step 0 of its own',
      optim.joined(
        [warm, (t) => T.div(0.1, T.add(T.cast(t, 'f32'), 1)) as T.Tensor, optim.joined([0.3, 0.2], [3])],
        [6, 12],
      ),
      (t) => (t < 6 ? 0.1 * Math.min(1, (t + 1) / 5) : t < 12 ? 0.1 / (t - 5) : t < 15 ? 0.3 : 0.2),
    ],
    ['one cycle', optim.oneCycle(0.5, { steps: 30 }), oneCycle(30, [0.3, 25, 1e4], wave, false)],
    [
      'one cycle of lines',
      optim.oneCycle(0.5, { steps: 30, anneal: 'linear', pctStart: 0.25, divFactor: 10, finalDivFactor: 100 }),
      oneCycle(30, [0.25, 10, 100], mix, false),
    ],
    [
      'one cycle of three phases',
      optim.oneCycle(0.5, { steps: 30, threePhase: true }),
      oneCycle(30, [0.3, 25, 1e4], wave, true),
    ],
    [
      'one cycle that only falls',
      optim.oneCycle(0.5, { steps: 30, pctStart: 0 }),
      oneCycle(30, [0, 25, 1e4], wave, false),
    ],
    [
      'one cycle that only rises',
      optim.oneCycle(0.5, { steps: 30, pctStart: 1 }),
      oneCycle(30, [1, 25, 1e4], wave, false),
    ],
  ])('%s', (_, schedule, want) => {
    const got = rates(schedule, 40)
    for (const [t, rate] of got.entries())
      expect(Math.abs(rate - want(t)), `step ${t}`).toBeLessThan(2e-7 + 3e-7 * Math.abs(want(t)))
  })

  it('one cycle ends at its last rate and stays', () => {
    const last = rates(optim.oneCycle(0.5, { steps: 30 }), 40)
    expect(last.slice(29).every((r) => r === Math.fround(0.5 / 25 / 1e4))).toBe(true)
    expect(Math.max(...last)).toBeCloseTo(0.5, 6)
  })

  it('a joined schedule is the rate of an optimiser, step for step', () => {
    const o = optim.sgd(optim.joined([optim.warmup(1, { steps: 2 }), 0.25], [2]))
    const g = T.tensor([1], { dtype: 'f32' }) as T.Tensor
    const moves = (function* () {
      let [p, state] = [g, o.init(g)]
      for (let t = 0; t < 4; t++) {
        const next = o.update(p, g, state)
        const both = T.reference([p, next.params]) as readonly T.HostTensor[]
        yield both[0]!.data[0]! - both[1]!.data[0]!
        ;[p, state] = [next.params, next.state]
      }
    })()
    expect([...moves]).toEqual([0.5, 1, 0.25, 0.25])
  })
})

/** torch's ReduceLROnPlateau.step in plain numbers: the factor after every measure. */
const plateauByHand = (measures: readonly number[], o: optim.PlateauOptions): readonly number[] => {
  const {
    mode = 'min',
    factor = 0.1,
    patience = 10,
    threshold = 1e-4,
    thresholdMode = 'rel',
    cooldown = 0,
    min = 0,
  } = o
  let [best, bad, cooling, rate] = [mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, 0, 0, 1]
  return measures.map((x) => {
    const bar =
      mode === 'min'
        ? thresholdMode === 'rel'
          ? best * (1 - threshold)
          : best - threshold
        : thresholdMode === 'rel'
          ? best * (1 + threshold)
          : best + threshold
    if (mode === 'min' ? x < bar : x > bar) [best, bad] = [x, 0]
    else bad += 1
    if (cooling > 0) [cooling, bad] = [cooling - 1, 0]
    if (bad > patience) [rate, cooling, bad] = [Math.max(rate * factor, min), cooldown, 0]
    return rate
  })
}

describe('plateau', () => {
  const measures = [
    5,
    4,
    4,
    4,
    3.9,
    3.95,
    3.9,
    Number.NaN,
    3.9,
    3.899,
    3.899,
    3.899,
    3.5,
    6,
    6,
    6,
    6,
    6,
    6,
    6,
    2,
    2,
    2,
    2,
    2,
    2,
  ]
  /** All measures in one scan, as a device would see them. */
  const factors = (options: optim.PlateauOptions): readonly number[] => {
    const o = optim.plateau(options)
    const xs = T.tensor([...measures], { dtype: 'f32' })
    const [, fs] = T.scan(
      (state: optim.PlateauState, x: T.Tensor) => {
        const next = o.update(state, x)
        return [next.state, next.factor] as const
      },
      o.init(),
      xs,
    )
    return Array.from((T.reference(fs as unknown as T.Tensor) as T.HostTensor).data)
  }
  it.each<[optim.PlateauOptions]>([
    [{}],
    [{ patience: 1 }],
    [{ patience: 0, factor: 0.5, min: 0.1 }],
    [{ patience: 1, cooldown: 3, factor: 0.5 }],
    [{ patience: 1, mode: 'max', factor: 0.5 }],
    [{ patience: 1, threshold: 0.1, factor: 0.5 }],
    [{ patience: 1, threshold: 0.5, thresholdMode: 'abs', factor: 0.5 }],
    [{ patience: 1, mode: 'max', threshold: 0.5, thresholdMode: 'abs', factor: 0.5, cooldown: 1 }],
    [{ patience: 2, mode: 'max', threshold: 0.1, factor: 0 }],
  ])('falls when torch does: %o', (options) => {
    const want = plateauByHand(measures, options)
    expect(factors(options)).toEqual(want.map((x) => expect.closeTo(x, 6)))
  })
  test('measures that fall at least once in each setting but the patient one', () => {
    expect(plateauByHand(measures, {}).at(-1)).toBe(1)
    expect(plateauByHand(measures, { patience: 1 }).at(-1)).toBeLessThan(1)
  })

  it('takes one number', () => {
    const o = optim.plateau()
    expect(() => o.update(o.init(), T.ones([2]) as T.Tensor)).toThrow(
      'optim.plateau: the measure is f32[2], not a scalar tensor',
    )
    expect(() => o.update(o.init(), 3 as never)).toThrow('optim.plateau: the measure is 3, not a scalar tensor')
  })

  it('is the factor of a rate within a step', () => {
    const o = optim.plateau({ patience: 0, factor: 0.5 })
    const g = T.tensor([1], { dtype: 'f32' }) as T.Tensor
    const flat = [1, 1, 1].reduce((s, x) => o.update(s, T.tensor(x) as T.Tensor).state, o.init())
    const slowed = optim.sgd((t) => T.mul(optim.linear(1, 0, { steps: 2 })(t), flat.factor) as T.Tensor)
    expect(T.reference(slowed.update(g, g, slowed.init(g)).params).data).toEqual(Float32Array.of(0.75))
  })
})
