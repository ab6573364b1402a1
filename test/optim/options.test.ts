/** Options that an optimiser, a stage or a schedule does not have, and arguments of another kind: a UsageError. */
import { describe, expect, it, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'

/** The editor refuses these calls; a program that was never checked makes them all the same. */
const loose = optim as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

const cases: readonly (readonly [name: string, args: readonly unknown[], message: string, hint: string | undefined])[] =
  [
    [
      'adam',
      [0.1, { betas: [0.9, 0.99] }],
      "optim.adam: there is no option 'betas'",
      'it knows beta1, beta2, eps, amsgrad, weightDecay, decayMask and clipNorm',
    ],
    [
      'adamw',
      [0.1, { weight_decay: 0.1 }],
      "optim.adamw: there is no option 'weight_decay'",
      'it is called weightDecay here',
    ],
    [
      'sgd',
      [{ lr: 0.1 }],
      'optim.sgd: the rate is an object, neither a number nor a function of the step',
      'write optim.sgd(0.1); options follow after the rate',
    ],
    [
      'sgd',
      [0.1, 0.9],
      'optim.sgd: 0.9 stands where a record of options is needed',
      'it knows momentum, dampening, nesterov, weightDecay, decayMask and clipNorm',
    ],
    [
      'rmsprop',
      [0.1, { rho: 0.9 }],
      "optim.rmsprop: there is no option 'rho'",
      'it knows alpha, eps, centered, momentum, weightDecay, decayMask and clipNorm',
    ],
    [
      'scaleByAdam',
      [{ weightDecay: 0.1 }],
      "optim.scaleByAdam: there is no option 'weightDecay'",
      'it knows beta1, beta2, eps and amsgrad',
    ],
    [
      'trackMomentum',
      [0.9],
      'optim.trackMomentum: 0.9 stands where a record of options is needed',
      'it knows momentum, dampening and nesterov',
    ],
    ['clipByValue', [{ max: 1 }], 'optim.clipByValue: the largest value is an object, not a number', undefined],
    [
      'stepDecay',
      [0.1, { gamma: 0.5 }],
      "optim.stepDecay: the option 'stepSize' is missing",
      'it knows stepSize and gamma',
    ],
    [
      'cosineDecay',
      [0.1, 100],
      'optim.cosineDecay: 100 stands where a record of options is needed',
      'it knows steps and min',
    ],
    [
      'cosineDecay',
      [0.1, { steps: 0 }],
      "optim.cosineDecay: the option 'steps' is 0, not a number above 0",
      'write { steps: 1 }',
    ],
    [
      'stepDecay',
      [0.1, { stepSize: -1 }],
      "optim.stepDecay: the option 'stepSize' is -1, not a number above 0",
      'write { stepSize: 1 }',
    ],
    [
      'joined',
      [
        [0.1, 0.2],
        [5, 10],
      ],
      'optim.joined: 2 rates and the boundaries [5, 10]',
      'give one boundary fewer than rates, whole numbers above 0 that ascend: optim.joined([optim.warmup(0.1, { steps: 10 }), 0.1], [10])',
    ],
    [
      'joined',
      [
        [0.1, 0.2, 0.3],
        [10, 10],
      ],
      'optim.joined: 3 rates and the boundaries [10, 10]',
      'give one boundary fewer than rates, whole numbers above 0 that ascend: optim.joined([optim.warmup(0.1, { steps: 10 }), 0.1], [10])',
    ],
    [
      'joined',
      [[0.1, 'fast'], [10]],
      "optim.joined: the rate is 'fast', neither a number nor a function of the step",
      'write optim.joined([optim.warmup(0.1, { steps: 10 }), 0.1], [10])',
    ],
    [
      'oneCycle',
      [0.1, { steps: 10, anneal: 'cosine' }],
      "optim.oneCycle: the annealing is 'cosine'",
      "it can be 'cos' or 'linear'",
    ],
    ['plateau', [{ mode: 'least' }], "optim.plateau: the mode is 'least'", "it can be 'min' or 'max'"],
    [
      'accumulate',
      [optim.adam(), 4],
      'optim.accumulate: the number of gradients is an object, not a whole number above 0',
      'write optim.accumulate(4, optim.adam(0.001))',
    ],
    [
      'accumulate',
      [2, optim.scaleByAdam()],
      'optim.accumulate: an object stands where an optimiser is needed',
      'make one of the stage: optim.optimiser(stage)',
    ],
    [
      'freeze',
      [0.1, true],
      'optim.freeze: 0.1 stands where an optimiser is needed',
      'give one, such as optim.adam(0.001)',
    ],
    [
      'groups',
      [{ a: optim.adam(), b: optim.scaleByAdam() }, 'a'],
      'optim.groups: the group b is an object, where the groups are all optimisers or all stages',
      "write optim.groups({ slow: optim.sgd(0.01), fast: optim.adam(0.1) }, optim.byPath({ head: 'fast' }, 'slow'))",
    ],
    [
      'byPath',
      [true, false],
      'optim.byPath: the table is true, not a record of paths',
      "write optim.byPath({ head: true, 'body[0].weight': true }, false)",
    ],
    [
      'chain',
      [[optim.clipByValue(1)]],
      'optim.chain: stage 1 is an array, not a stage',
      'stages stand one after another: optim.chain(optim.clipByValue(1), optim.scaleByRate(0.1))',
    ],
    [
      'optimiser',
      [optim.clipByValue(1), 0.1],
      'optim.optimiser: stage 2 is 0.1, not a stage',
      'stages stand one after another: optim.optimiser(optim.clipByValue(1), optim.scaleByRate(0.1))',
    ],
  ]

describe('what an optimiser does not know', () => {
  it.each(cases)('%s %#', (name, args, message, hint) => {
    const error = new T.TensorloomError({ tag: 'UsageError', message, ...(hint === undefined ? {} : { hint }) })
    expect(() => loose[name]!(...args)).toThrow(error)
  })
})

describe('what an optimiser knows', () => {
  const common = { weightDecay: 0.1, decayMask: { w: true }, clipNorm: 1 }
  it.each([
    ['sgd', { ...common, momentum: 0.9, dampening: 0.1, nesterov: true }],
    ['adam', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6, amsgrad: true }],
    ['adamw', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6, amsgrad: true }],
    ['adagrad', { ...common, rateDecay: 0.1, eps: 1e-6, initial: 0.5 }],
    ['rmsprop', { ...common, alpha: 0.9, eps: 1e-6, centered: true, momentum: 0.9 }],
    ['adadelta', { ...common, rho: 0.8, eps: 1e-6 }],
    ['nadam', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6, momentumDecay: 0.01, decoupledWeightDecay: true }],
    ['adamax', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6 }],
    ['radam', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6, decoupledWeightDecay: true }],
    ['lion', { ...common, beta1: 0.8, beta2: 0.9 }],
    ['lamb', { ...common, beta1: 0.8, beta2: 0.9, eps: 1e-6 }],
  ])('%s takes all its options', (name, options) => {
    const params = { w: T.tensor([1.5]) }
    const o = loose[name]!(0.1, options) as optim.Optimiser
    const next = o.update(params, { w: T.tensor([0.5]) }, o.init(params)).params.w
    expect(Number.isFinite(T.reference(next).data[0])).toBe(true)
  })
})

test('a gradient has the shape of its parameter, and a state is that of its optimiser', () => {
  const [w, g] = [T.ones([2, 3]), T.ones([3])]
  const adam = optim.adam(0.1)
  expect(() => adam.update({ w }, { w: g }, adam.init({ w }))).toThrow(
    'optimiser: the gradient of w is f32[3], the parameter f32[2, 3]',
  )
  expect(() => optim.applyUpdates({ w }, { w: g })).toThrow(
    'optimiser: the update of w is f32[3], the parameter f32[2, 3]',
  )
  expect(() => optim.applyUpdates({ w: g }, { w })).toThrow('the update of w is f32[2, 3], the parameter f32[3]')
  for (const state of [{}, optim.optimiser().init({ w }), { w }])
    expect(() => adam.update({ w }, { w }, state as never)).toThrow('the state is not one of this optimiser')
  for (const rate of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => optim.adam(rate)).toThrow(`the rate is ${rate}`)
})
