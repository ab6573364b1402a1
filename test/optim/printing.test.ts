/** What `tensorloom/optim` makes prints itself as the call that made it, and nothing but printing knows of that. */
import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'

/** They give tensors, or trees of them, which print as such. */
const silent = ['allFinite', 'applyUpdates', 'globalNorm', 'minimise'] as const

type Maker = Exclude<keyof typeof optim, (typeof silent)[number]>

const isMatrix = (_: string, p: T.Tensor): boolean => p.shape.length > 1

const calls: { readonly [M in Maker]: readonly [made: unknown, text: string] } = {
  accumulate: [optim.accumulate(2, optim.sgd(1)), 'optim.accumulate(2, optim.sgd(1))'],
  adadelta: [optim.adadelta(), 'optim.adadelta(1)'],
  adagrad: [optim.adagrad(0.1), 'optim.adagrad(0.1)'],
  adam: [optim.adam(), 'optim.adam(0.001)'],
  adamax: [optim.adamax(0.1), 'optim.adamax(0.1)'],
  adamw: [optim.adamw(0.1, { beta1: 0.5 }), 'optim.adamw(0.1, { beta1: 0.5 })'],
  addWeightDecay: [optim.addWeightDecay(0.01), 'optim.addWeightDecay(0.01)'],
  applyIfFinite: [optim.applyIfFinite(optim.sgd(0.5)), 'optim.applyIfFinite(optim.sgd(0.5))'],
  byPath: [optim.byPath({ head: 1, 'body[0].weight': 2 }, 0.1), "optim.byPath({ head: 1, 'body[0].weight': 2 }, 0.1)"],
  centralise: [optim.centralise(), 'optim.centralise()'],
  chain: [
    optim.chain(optim.clipByValue(1), optim.scaleByRate(0.1)),
    'optim.chain(optim.clipByValue(1), optim.scaleByRate(0.1))',
  ],
  clipByBlockRms: [optim.clipByBlockRms(1.5), 'optim.clipByBlockRms(1.5)'],
  clipByGlobalNorm: [optim.clipByGlobalNorm(1), 'optim.clipByGlobalNorm(1)'],
  clipByNorm: [optim.clipByNorm(1), 'optim.clipByNorm(1)'],
  clipByValue: [optim.clipByValue(1), 'optim.clipByValue(1)'],
  cosineDecay: [optim.cosineDecay(0.1, { steps: 9 }), 'optim.cosineDecay(0.1, { steps: 9 })'],
  ema: [optim.ema({ decay: 0.5 }), 'optim.ema({ decay: 0.5 })'],
  exponentialDecay: [optim.exponentialDecay(0.1, { gamma: 0.5 }), 'optim.exponentialDecay(0.1, { gamma: 0.5 })'],
  freeze: [
    optim.freeze(optim.adam(0.001), optim.byPath({ body: true }, false)),
    'optim.freeze(optim.adam(0.001), optim.byPath({ body: true }, false))',
  ],
  frozen: [optim.frozen(), 'optim.frozen()'],
  groups: [
    optim.groups({ slow: optim.sgd(0.1), still: optim.frozen() }, { body: 'slow', head: ['still', 'slow'] }),
    "optim.groups({ slow: optim.sgd(0.1), still: optim.frozen() }, { body: 'slow', head: ['still', 'slow'] })",
  ],
  joined: [
    optim.joined([optim.warmup(0.1, { steps: 2 }), 0.1], [2]),
    'optim.joined([optim.warmup(0.1, { steps: 2 }), 0.1], [2])',
  ],
  lamb: [optim.lamb(0.1, { clipNorm: 1 }), 'optim.lamb(0.1, { clipNorm: 1 })'],
  lbfgs: [optim.lbfgs({ history: 5 }), 'optim.lbfgs({ history: 5 })'],
  linear: [optim.linear(0.1, 0.5, { steps: 4 }), 'optim.linear(0.1, 0.5, { steps: 4 })'],
  lion: [optim.lion(0.1), 'optim.lion(0.1)'],
  lossScale: [optim.lossScale(), 'optim.lossScale()'],
  masked: [
    optim.masked(optim.sgd(0.5), { body: true, head: [false, null] }),
    'optim.masked(optim.sgd(0.5), { body: true, head: [false, null] })',
  ],
  mixed: [
    optim.mixed({ compute: 'f16', scaling: { initial: 8 } }),
    "optim.mixed({ compute: 'f16', scaling: { initial: 8 } })",
  ],
  nadam: [optim.nadam(0.1), 'optim.nadam(0.1)'],
  oneCycle: [
    optim.oneCycle(1, { steps: 11, anneal: 'linear', threePhase: true }),
    "optim.oneCycle(1, { steps: 11, anneal: 'linear', threePhase: true })",
  ],
  optimiser: [
    optim.optimiser(optim.chain(optim.scaleByAdam(), optim.scaleByTrustRatio()), optim.scaleByRate(0.1)),
    'optim.optimiser(optim.chain(optim.scaleByAdam(), optim.scaleByTrustRatio()), optim.scaleByRate(0.1))',
  ],
  plateau: [optim.plateau({ mode: 'max', patience: 1 }), "optim.plateau({ mode: 'max', patience: 1 })"],
  polynomial: [optim.polynomial(0.1, { steps: 10, power: 2 }), 'optim.polynomial(0.1, { steps: 10, power: 2 })'],
  radam: [optim.radam(0.1), 'optim.radam(0.1)'],
  rmsprop: [optim.rmsprop(0.1, { centered: true }), 'optim.rmsprop(0.1, { centered: true })'],
  scaleByAdadelta: [optim.scaleByAdadelta({ rho: 0.8 }), 'optim.scaleByAdadelta({ rho: 0.8 })'],
  scaleByAdagrad: [optim.scaleByAdagrad({ initial: 0.1 }), 'optim.scaleByAdagrad({ initial: 0.1 })'],
  scaleByAdam: [optim.scaleByAdam({ amsgrad: true }), 'optim.scaleByAdam({ amsgrad: true })'],
  scaleByAdamax: [optim.scaleByAdamax(), 'optim.scaleByAdamax()'],
  scaleByFactors: [optim.scaleByFactors({ head: 10, body: 1 }), 'optim.scaleByFactors({ head: 10, body: 1 })'],
  scaleByLion: [optim.scaleByLion(), 'optim.scaleByLion()'],
  scaleByNadam: [optim.scaleByNadam(), 'optim.scaleByNadam()'],
  scaleByRadam: [optim.scaleByRadam(), 'optim.scaleByRadam()'],
  scaleByRate: [
    optim.scaleByRate(optim.linear(0.1, 0, { steps: 4 })),
    'optim.scaleByRate(optim.linear(0.1, 0, { steps: 4 }))',
  ],
  scaleByRmsprop: [optim.scaleByRmsprop({ alpha: 0.9 }), 'optim.scaleByRmsprop({ alpha: 0.9 })'],
  scaleByTrustRatio: [optim.scaleByTrustRatio({ coefficient: 2 }), 'optim.scaleByTrustRatio({ coefficient: 2 })'],
  scaleRates: [
    optim.scaleRates(optim.sgd(0.1), optim.byPath({ head: 5 }, 1)),
    'optim.scaleRates(optim.sgd(0.1), optim.byPath({ head: 5 }, 1))',
  ],
  sgd: [
    optim.sgd(optim.stepDecay(1, { stepSize: 2 }), { momentum: 0.9 }),
    'optim.sgd(optim.stepDecay(1, { stepSize: 2 }), { momentum: 0.9 })',
  ],
  stateless: [optim.stateless((u) => u), 'optim.stateless(a function)'],
  stepDecay: [optim.stepDecay(1, { stepSize: 2 }), 'optim.stepDecay(1, { stepSize: 2 })'],
  trackMomentum: [optim.trackMomentum({ momentum: 0.9 }), 'optim.trackMomentum({ momentum: 0.9 })'],
  warmup: [
    optim.warmup(optim.cosineDecay(0.1, { steps: 9, min: 0.01 }), { steps: 2 }),
    'optim.warmup(optim.cosineDecay(0.1, { steps: 9, min: 0.01 }), { steps: 2 })',
  ],
}

test('there is a call for every function that makes something', () => {
  expect(Object.keys(optim).sort()).toEqual([...Object.keys(calls), ...silent].sort())
})

describe('what a call makes', () => {
  test.each(Object.entries(calls))('%s', (_, [made, text]) => {
    expect([inspect(made), String(made)]).toEqual([text, text])
  })

  const half = optim.mixed({ compute: 'bf16' })
  const loss = (p: T.Tensor): T.Tensor => T.sum(p) as T.Tensor

  test.each<readonly [string, unknown, string]>([
    [
      'a schedule in an optimiser in another one',
      optim.accumulate(4, optim.adam(optim.cosineDecay(0.1, { steps: 9 }), { decayMask: isMatrix, weightDecay: 0.1 })),
      'optim.accumulate(4, optim.adam(optim.cosineDecay(0.1, { steps: 9 }), { decayMask: isMatrix, weightDecay: 0.1 }))',
    ],
    ['a masked stage', optim.masked(optim.clipByNorm(1), isMatrix), 'optim.masked(optim.clipByNorm(1), isMatrix)'],
    [
      'groups of stages',
      optim.groups({ "it's": optim.centralise() }, "it's"),
      "optim.groups({ 'it\\'s': optim.centralise() }, 'it\\'s')",
    ],
    ['a table without paths', optim.byPath({}, 'a\\b'), "optim.byPath({}, 'a\\\\b')"],
    ['a loss in 16 bits', half.loss(loss), "optim.mixed({ compute: 'bf16' }).loss(loss)"],
    [
      'a step in 16 bits',
      half.step(loss, optim.sgd(0.5)),
      "optim.mixed({ compute: 'bf16' }).step(loss, optim.sgd(0.5))",
    ],
  ])('%s', (_, made, text) => {
    expect([inspect(made), String(made)]).toEqual([text, text])
    expect(inspect({ made }, { breakLength: Number.POSITIVE_INFINITY })).toBe(`{ made: ${text} }`)
  })
})

describe('nothing but printing', () => {
  const rate = optim.cosineDecay(0.1, { steps: 9 })
  const o = optim.adam(rate)

  it('sees what prints an optimiser', () => {
    expect(Object.keys(o)).toEqual(['init', 'updates', 'update'])
    expect(Reflect.ownKeys({ ...o })).toEqual(['init', 'updates', 'update'])
    expect({ ...o }).toStrictEqual(o)
    expect(JSON.stringify([o, rate])).toBe('[{},null]')
  })

  it('sees what prints a function', () => {
    expect(Object.keys(rate)).toEqual([])
    expect(Object.keys(optim.byPath({ head: 1 }, 2))).toEqual(['prefixes'])
  })

  it('sees it when a tree is walked', () => {
    const refusal = (x: object): string => {
      try {
        return String(T.mapTree(x as never, (t) => t))
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(refusal(o)).toContain('init is the function')
    expect(refusal({ ...o })).toBe(refusal(o))
  })
})
