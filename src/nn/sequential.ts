/** Layers as values: how their parameters begin and what they compute, put one after the other or side by side. */

import { raise } from '../lang/errors.ts'
import { printedCall, showGiven } from '../lang/print/call-text.ts'
import { printing } from '../lang/print/printing.ts'
import { demandFunction, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { demandKey, foldIn, type Key } from '../lang/tensor/random/keys.ts'
import { isRecord } from '../lang/tree.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, biasOptions, demandSizes, type WithBias } from './drawn.ts'
import { type DropoutOptions, dropout } from './dropout.ts'
import { linearInit } from './init.ts'
import { type LinearParams, linear } from './linear.ts'

/**
 * A layer: `init` draws its parameters from a random key, `apply` is a pure function of them and an input. A key for
 * `apply` is what is drawn in training; without one nothing is.
 */
export interface Layer<P> {
  readonly init: (key: Tensor) => P
  readonly apply: (params: P, x: Tensor, key?: Tensor) => Tensor
}

/** A layer whose parameters may be of any type. */
export interface AnyLayer {
  readonly init: (key: Key) => unknown
  readonly apply: (params: never, x: Tensor, key?: Key) => Tensor
}

/** What `sequential` takes: a layer, or a function of tensors that has no parameters. */
export type LayerOrFunction = AnyLayer | ((x: Tensor) => Tensor)

/** The parameters of a layer; of a function, null. */
export type ParamsOf<L> = L extends { readonly init: (key: Key) => infer P } ? P : null

/**
 * A layer of what draws its parameters and of a function of an input and them, such as all in `nn` are. One that draws
 * in training is a record: `{ init, apply: (params, x, key) => … }`.
 * @example
 * const norm = nn.layer(() => nn.layerNormInit(3), (x, params) => nn.layerNorm(x, params))
 * norm.apply(norm.init(random.key(0)), T.ones([2, 3])).shape // => [2, 3]
 */
export const layer = <P>(init: (key: Key) => P, f: (x: Tensor, params: P) => Tensor): Layer<P> => {
  demandFunction('nn.layer', 'the first argument', init, 'a random key, which draws parameters')
  demandFunction('nn.layer', 'the second argument', f, 'an input and parameters')
  return printedCall({ init: (key) => init(key as Key), apply: (params, x) => f(x, params) }, 'nn.layer', init, f)
}

/**
 * The layer of `linear` with parameters of `linearInit`. UsageError for sizes that are none.
 * @example
 * const { init, apply } = nn.dense(4, 3)
 * apply(init(random.key(0)), T.ones([2, 4])).shape // => [2, 3]
 */
export const dense = <const I extends number, const O extends number, const Q extends BiasOptions = object>(
  inputs: I,
  outputs: O,
  options?: Q & Only<Q, BiasOptions>,
): Layer<WithBias<readonly [O, I], O, Q>> => {
  demandRecord('nn.dense', biasOptions, options)
  demandSizes('nn.dense', { inputs, outputs })
  const made: Layer<WithBias<readonly [O, I], O, Q>> = {
    init: (key) => linearInit(key, inputs, outputs, options as BiasOptions) as never,
    apply: (params, x) => linear(x, params as LinearParams) as Tensor,
  }
  return printedCall(made, 'nn.dense', inputs, outputs, options)
}

const dropoutLayerOptions: OptionNames<Pick<DropoutOptions, 'p'>> = { p: 'fraction' }

/**
 * The layer of `dropout`, which drops nothing where `apply` is given no key. It has no parameters.
 * @example
 * const { apply } = nn.dropoutLayer({ p: 0.75 })
 * T.reference(apply(null, T.ones([4]))).data // => [1, 1, 1, 1]
 * T.reference(T.max(apply(null, T.ones([100]), random.key(0)))).data // => [4]
 */
export const dropoutLayer = (options: Pick<DropoutOptions, 'p'> = {}): Layer<null> => {
  demandRecord('nn.dropoutLayer', dropoutLayerOptions, options)
  const made: Layer<null> = {
    init: () => null,
    apply: (_, x, key) => (key ? (dropout(x, key, options) as Tensor) : x),
  }
  return printedCall(made, 'nn.dropoutLayer', options)
}

/** UsageError for what is neither a layer nor a function. */
const demandLayer = (name: string, example: string, x: unknown, at: number): void => {
  if (typeof x === 'function' || (isRecord(x) && typeof x['init'] === 'function' && typeof x['apply'] === 'function'))
    return
  raise({
    tag: 'UsageError',
    message: `${name}: argument ${at + 1} is ${showArgument(x)}, neither a layer nor a function`,
    hint: `write ${example}, or make a layer with nn.layer(init, f)`,
  })
}

/** UsageError for parameters that are not one for each layer. */
const demandPlaces = (name: string, params: unknown, count: number): void => {
  const what = Array.isArray(params)
    ? params.length === count
      ? undefined
      : `there are ${params.length} parameters for ${count} layers`
    : `the parameters are ${showArgument(params)}, not a list`
  if (what !== undefined)
    raise({ tag: 'UsageError', message: `${name}: ${what}`, hint: 'write model.apply(model.init(key), x)' })
}

/** The parameters of layers: a tuple, each drawn from a key of its own, null for a function. */
export type ParamsOfEach<L extends readonly LayerOrFunction[]> = { readonly [K in keyof L]: ParamsOf<L[K]> }

/** One layer of several, which `run` puts together of what each of them computes. */
const together = <const L extends readonly LayerOrFunction[]>(
  name: string,
  layers: L,
  run: (steps: readonly ((x: Tensor) => Tensor)[], x: Tensor) => Tensor,
): Layer<ParamsOfEach<L>> => {
  const init = (key: Tensor): unknown => {
    demandKey(name, key)
    return layers.map((each, i) => (typeof each === 'function' ? null : each.init(foldIn(key, i))))
  }
  const apply = (params: readonly unknown[], x: Tensor, key?: Tensor): Tensor => {
    demandPlaces(name, params, layers.length)
    const steps = layers.map((each, i) =>
      typeof each === 'function' ? each : (y: Tensor) => each.apply(params[i] as never, y, key && foldIn(key, i)),
    )
    return run(steps, x)
  }
  // A line for each layer, with the number that the paths of its parameters begin with.
  const lines = (): string => layers.map((each, i) => `\n  [${i}] ${showGiven(each).replaceAll('\n', '\n  ')}`).join('')
  return printing(() => `${name}(${lines()}\n)`)({ init, apply }) as never
}

/**
 * Layers and functions one after the other, as one layer: its parameters are a tuple of theirs, null for a function, so
 * that paths are those of PyTorch's Sequential (`[0].weight`, `[2].weight`). Each layer draws from a key of its own, in
 * `init` and, where it is given one, in `apply`. A sequence can be an element of another.
 * @example
 * const model = nn.sequential(nn.dense(784, 128), nn.relu, nn.dropoutLayer(), nn.dense(128, 10))
 * const params = model.init(random.key(0))
 * [params[0].weight.shape, params[1], params[3].bias.shape] // => [[128, 784], null, [10]]
 * model.apply(params, T.ones([32, 784])).shape // => [32, 10]
 * const loss = (p: typeof params, x: T.Tensor, y: T.Tensor) => nn.crossEntropy(model.apply(p, x, random.key(1)), y)
 * T.grad(loss)(params, T.ones([2, 784]), T.tensor([3, 4]))[0].weight.shape // => [128, 784]
 */
export const sequential = <const L extends readonly LayerOrFunction[]>(...layers: L): Layer<ParamsOfEach<L>> => {
  for (const [i, each] of layers.entries())
    demandLayer('nn.sequential', 'nn.sequential(nn.dense(4, 3), nn.relu)', each, i)
  return together('nn.sequential', layers, (steps, x) => steps.reduce((y, step) => step(y), x))
}

/**
 * Layers and functions side by side, as one layer: each is given the same input, and `combine` makes one tensor of what they
 * give. Parameters and keys are those of `sequential`. `(x) => x` beside a layer, added, is a residual block (He et al. 2016);
 * joined, a dense one (Huang et al. 2017); windows of several sizes, joined, are an Inception block (Szegedy et al. 2015).
 * @example
 * const residual = nn.parallel(T.add, (x) => x, nn.dense(3, 3))
 * const params = residual.init(random.key(0))
 * [params[0], params[1].weight.shape] // => [null, [3, 3]]
 * residual.apply(params, T.ones([2, 3])).shape // => [2, 3]
 * const wide = nn.parallel((...parts) => T.concat(parts, { axis: -1 }), nn.dense(3, 2), nn.dense(3, 5))
 * wide.apply(wide.init(random.key(1)), T.ones([2, 3])).shape // => [2, 7]
 */
export const parallel = <const L extends readonly LayerOrFunction[]>(
  combine: (...parts: readonly Tensor[]) => Tensor,
  ...layers: L
): Layer<ParamsOfEach<L>> => {
  const example = 'nn.parallel(T.add, (x) => x, nn.dense(4, 4))'
  demandFunction('nn.parallel', 'the first argument', combine, 'what the layers give')
  if (layers.length === 0)
    raise({ tag: 'UsageError', message: 'nn.parallel: there are no layers', hint: `write ${example}` })
  for (const [i, each] of layers.entries()) demandLayer('nn.parallel', example, each, i + 1)
  return together('nn.parallel', layers, (steps, x) => combine(...steps.map((step) => step(x))))
}
