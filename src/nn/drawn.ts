/** What initial weights of layers have in common: sizes that are asked for, and draws that are cut into parts. */
import { isDim, type Shape, sizeOf } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import { demandKey } from '../lang/tensor/random/keys.ts'
import { uniform } from '../lang/tensor/random/uniform.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** Weights with a bias, without one where the option says so, or perhaps with one where it does not say what. */
export type WithBias<W extends Shape, O extends number, Options> = {
  readonly weight: Tensor<W, 'f32'>
} & (Options extends { readonly bias: infer B }
  ? [B] extends [true]
    ? { readonly bias: Tensor<readonly [O], 'f32'> }
    : [B] extends [false]
      ? unknown
      : { readonly bias?: Tensor<readonly [O], 'f32'> }
  : { readonly bias: Tensor<readonly [O], 'f32'> })

/** Whether a layer has a bias (true). */
export interface BiasOptions {
  readonly bias?: boolean | undefined
}

export const biasOptions: OptionNames<BiasOptions> = { bias: 'boolean' }

/** UsageError for a size, by what it is called, that is no whole number of at least 0. */
export const demandSizes = (name: string, sizes: Readonly<Record<string, unknown>>): void => {
  const odd = Object.entries(sizes).find(([, size]) => !isDim(size))
  if (odd)
    raise({
      tag: 'UsageError',
      message: `${name}: ${odd[0]} is ${showArgument(odd[1])}, not a whole number of at least 0`,
    })
}

/** √(x / fan), and 0 where there are no units. */
export const perUnit = (x: number, fan: number): number => (fan > 0 ? Math.sqrt(x / fan) : 0)

/** A part for each shape, cut in order from one draw, uniform within ±`bound`. */
export const uniformParts = <const P extends Readonly<Record<string, Shape>>>(
  name: string,
  key: Tensor,
  bound: number,
  shapes: P,
): { readonly [K in keyof P]: Tensor<P[K], 'f32'> } => {
  demandKey(name, key)
  const sizes = Object.values(shapes).map(sizeOf)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const all = uniform(key, [total], { low: -bound, high: bound })
  let at = 0
  const parts = Object.entries(shapes).map(([part, shape], i) => {
    const cut = T.reshape(T.narrow(all, at, sizes[i]!), shape)
    at += sizes[i]!
    return [part, cut]
  })
  return Object.fromEntries(parts) as never
}
