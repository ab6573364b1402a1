/** Loops as nodes of the graph: `scan`, and what is said with it. Compiled once, run on the device. */
import { build, illTyped, typeOf } from '../../build.ts'
import { closeParts, type Part, tracePart } from '../../closed-parts.ts'
import type { Shape } from '../../dim.ts'
import { integerRange, lastCount } from '../../dtype.ts'
import { raise, showOperand } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { outputsOf } from '../../ops/closed-graphs.ts'
import { zeros } from '../../ops/rule-parts.ts'
import { type Flattened, flattenTree, isTensor, sameTree, type TreeShape, unflattenTree } from '../../tree.ts'
import { nodeOf, type Tensor } from '../../types/tensor.ts'
import { demandFunction, demandRecord, type OptionNames } from '../arguments.ts'
import { isIll } from '../operand.ts'

/** The trees of `X` without their axis 0: what a turn of a loop over `X` sees. */
export type SliceOf<X> =
  X extends Tensor<infer S, infer D>
    ? S extends readonly [number, ...infer R extends Shape]
      ? Tensor<R, D>
      : Tensor<Shape, D>
    : X extends object
      ? { readonly [K in keyof X]: SliceOf<X[K]> }
      : X

/** The trees of `Y` with a new axis 0: what a loop stacks. */
export type StackOf<Y> =
  Y extends Tensor<infer S, infer D>
    ? number extends S['length']
      ? Tensor<Shape, D>
      : Tensor<readonly [number, ...S], D>
    : Y extends object
      ? { readonly [K in keyof Y]: StackOf<Y[K]> }
      : Y

/** How many turns, where no slices say so, and whether from the last slice to the first. */
export interface ScanOptions {
  readonly length?: number | undefined
  readonly reverse?: boolean | undefined
}

const scanOptions: OptionNames<ScanOptions> = { length: 'size', reverse: 'boolean' }

/** UsageError for more turns than a device can count. */
export const demandCounted = (caller: string, what: string, turns: number): void => {
  if (turns > lastCount)
    raise({
      tag: 'UsageError',
      message: `${caller}: ${what} is ${turns}, and turns are counted in i32: ${lastCount} at most`,
      hint: 'put a loop inside a loop',
    })
}

/** How many turns: what the slices agree on, else the option. */
const turnsOf = (caller: string, xs: Flattened<Tensor>, { length }: ScanOptions): number => {
  const sizes = xs.leaves.map((x) => nodeOf(x)).map((n) => typeOf(n).shape[0])
  const count = sizes[0] ?? length
  const flat = sizes.indexOf(undefined)
  if (count === undefined || flat >= 0)
    return raise({
      tag: 'UsageError',
      message: `${caller}: ${flat < 0 ? 'nothing says how many turns there are' : `${xs.paths[flat] || 'xs'} is a scalar, which has no slices`}`,
      hint: 'give xs with an axis 0, or { length }',
    })
  demandCounted(caller, 'length', count)
  const wrong = sizes.findIndex((s) => s !== count)
  if (wrong >= 0 || (length !== undefined && length !== count))
    return raise({
      tag: 'UsageError',
      message: `${caller}: ${wrong >= 0 ? `${xs.paths[wrong] || 'xs'} has ${sizes[wrong]} slices` : `length is ${length}`}, ${xs.paths[0] || 'xs'} has ${count}`,
      hint: 'all of xs has one size along axis 0',
    })
  return count
}

/** UsageError when the next carries are not what the carries were; names the leaf. */
export const demandSameCarries = (caller: string, before: Flattened<Tensor>, after: Flattened<Tensor>): void => {
  if (!sameTree(before.shape, after.shape))
    raise({
      tag: 'UsageError',
      message: `${caller}: the carried value changes its structure: ${before.leaves.length} tensors (${before.paths.join(', ')}) become ${after.leaves.length} (${after.paths.join(', ')})`,
      hint: 'the function returns what it carries on in the structure it was given',
    })
  before.leaves.forEach((x, i) => {
    const [a, b] = [nodeOf(x), nodeOf(after.leaves[i]!)]
    if (isIll(a) || isIll(b)) return
    const [was, becomes] = [showOperand(typeOf(a)), showOperand(typeOf(b))]
    if (was !== becomes)
      raise({
        tag: 'UsageError',
        message: `${caller}: the carried ${before.paths[i] || 'value'} is ${was} and becomes ${becomes}`,
        hint: `a carried value keeps its shape and dtype: start it as ${becomes}, or cast what the function returns`,
      })
  })
}

const subtree = (whole: Flattened<Tensor>, shape: TreeShape): Flattened<Tensor> =>
  flattenTree<Tensor>(unflattenTree(shape, whole.leaves), isTensor)

/** What one turn gives: the carries and what is stacked, taken apart. */
const halves = (caller: string, { result }: Part): readonly [Flattened<Tensor>, Flattened<Tensor>] => {
  const { shape } = result
  if (typeof shape !== 'object' || !('list' in shape) || shape.list.length !== 2)
    return raise({
      tag: 'UsageError',
      message: `${caller}: the function must return [carry, y]`,
      hint: 'return [carry, []] when nothing is to be stacked',
    })
  return [subtree(result, shape.list[0]!), subtree(result, shape.list[1]!)]
}

const sliceType = ({ shape, dtype }: TensorType): TensorType => ({ shape: shape.slice(1), dtype })

/** The node of a scan over leaves: last carries and stacks. */
const scanLeaves = (
  caller: string,
  f: (carry: unknown, x: unknown) => unknown,
  init: Flattened<Tensor>,
  xs: Flattened<Tensor>,
  options: ScanOptions,
): readonly [unknown, unknown] => {
  const [carries, slices] = [init.leaves.map(nodeOf), xs.leaves.map(nodeOf)]
  const ill = [...carries, ...slices].find(isIll)
  const poison = (wrong: readonly Node[], shape: TreeShape, count: number): unknown =>
    unflattenTree(
      shape,
      Array.from({ length: count }, () => illTyped(caller, wrong, { reason: '' })),
    )
  if (ill) return [poison([ill], init.shape, carries.length), poison([ill], xs.shape, slices.length)]
  const length = turnsOf(caller, xs, options)
  const trees = [
    { shape: init.shape, count: carries.length },
    { shape: xs.shape, count: slices.length },
  ]
  const part = tracePart(f, trees, [...carries.map(typeOf), ...slices.map((n) => sliceType(typeOf(n)))])
  const [next, stacked] = halves(caller, part)
  const wrong = part.graph.outputs.filter(isIll)
  if (wrong.length > 0)
    return [poison(wrong, init.shape, carries.length), poison(wrong, stacked.shape, stacked.leaves.length)]
  demandSameCarries(caller, init, next)
  const outputs = [...next.leaves, ...stacked.leaves].map(nodeOf)
  if (length === 0) {
    const empty = stacked.leaves.map((y) => {
      const { shape, dtype } = typeOf(nodeOf(y))
      return zeros(build, { shape: [0, ...shape], dtype })
    })
    return [unflattenTree(init.shape, carries), unflattenTree(stacked.shape, empty)]
  }
  if (outputs.length === 0) return [unflattenTree(init.shape, []), unflattenTree(stacked.shape, [])]
  const { parts, captures, captured } = closeParts([{ inputs: part.graph.inputs, outputs }])
  const body = { inputs: [...parts[0]!.inputs, ...captures], outputs: parts[0]!.outputs }
  const node = build.scan([...carries, ...slices, ...captured], {
    body,
    carries: carries.length,
    slices: slices.length,
    length,
    reverse: options.reverse ?? false,
  })
  const made = outputsOf(build, node, outputs.length)
  return [
    unflattenTree(init.shape, made.slice(0, carries.length)),
    unflattenTree(stacked.shape, made.slice(carries.length)),
  ]
}

/**
 * A loop over axis 0 of the tensors in `xs`: `f(carry, x)` gives `[carry, y]`, the carry of the next turn and what is
 * stacked; the result is the last carry and the stacks, of y with a new axis 0 (jax.lax.scan). The body is compiled once
 * and runs in one submission; it is differentiable in both modes, and `vmap` maps it. `xs` may be `[]` with a `length`;
 * `reverse` goes from the last slice to the first, stacks keep their places. UsageError when slices disagree in number, a
 * `length` is no whole number, or a carried tensor changes its shape or dtype (it names the tensor).
 * @example
 * const [total, sums] = T.scan((c, x) => { const s = T.add(c, x); return [s, s] }, T.tensor(0), T.tensor([1, 2, 3]))
 * T.reference([total, sums]).map((t) => t.data) // => [[6], [1, 3, 6]]
 */
export const scan = <C, X, Y>(
  f: (carry: C, x: SliceOf<X>) => readonly [C, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): readonly [C, StackOf<Y>] => {
  demandFunction('T.scan', 'f', f)
  demandRecord('T.scan', scanOptions, options)
  return scanLeaves(
    'T.scan',
    f as (carry: unknown, x: unknown) => unknown,
    flattenTree<Tensor>(init, isTensor),
    flattenTree<Tensor>(xs, isTensor),
    options,
  ) as unknown as readonly [C, StackOf<Y>]
}

/**
 * `f` of each slice along axis 0 of the tensors in `xs`, one after the other, the results stacked (jax.lax.map): like
 * `vmap(f)`, in the memory of one slice.
 * @example
 * T.reference(T.map((x) => T.sum(x), T.tensor([[1, 2], [3, 4]]))).data // => [3, 7]
 */
export const map = <X, Y>(f: (x: SliceOf<X>) => Y, xs: X): StackOf<Y> => {
  demandFunction('T.map', 'f', f)
  return scanLeaves(
    'T.map',
    (_, x) => [[], f(x as SliceOf<X>)],
    flattenTree<Tensor>([], isTensor),
    flattenTree<Tensor>(xs, isTensor),
    {},
  )[1] as StackOf<Y>
}

/**
 * `carry = body(i, carry)` for i (an i32 scalar) from `lower` to before `upper`, whole numbers that i32 holds (jax.lax.fori_loop). A scan
 * that stacks nothing; `init` itself where there is no turn.
 * @example
 * T.reference(T.foriLoop(1, 5, (i, c) => T.mul(i, c), T.tensor(1))).data // => [24]
 */
export const foriLoop = <C>(
  lower: number,
  upper: number,
  body: (i: Tensor<readonly [], 'i32'>, carry: C) => C,
  init: C,
): C => {
  if (!Number.isInteger(lower) || !Number.isInteger(upper))
    return raise({
      tag: 'UsageError',
      message: `T.foriLoop: the bounds ${lower} and ${upper} must be whole numbers`,
      hint: 'use T.whileLoop where the device finds out how many turns there are',
    })
  const [first, last] = integerRange.i32
  if (lower < first || lower > last || upper < first || upper > last + 1)
    return raise({
      tag: 'UsageError',
      message: `T.foriLoop: the bounds ${lower} and ${upper} are past i32, in which turns are counted`,
      hint: 'count from 0 and compute the rest from the carry',
    })
  demandFunction('T.foriLoop', 'body', body)
  const length = Math.max(0, upper - lower)
  demandCounted('T.foriLoop', 'the number of turns', length)
  const counter = build.iota([], { shape: [length], dtype: 'i32', axis: 0 })
  const start = build.const([], { shape: [], dtype: 'i32', values: [lower] })
  const turn = (carry: unknown, t: unknown): unknown => [
    body(build.add([nodeOf(t as Tensor), start], {}) as unknown as Tensor<readonly [], 'i32'>, carry as C),
    [],
  ]
  const xs = flattenTree<Tensor>(counter, isTensor)
  return scanLeaves('T.foriLoop', turn, flattenTree<Tensor>(init, isTensor), xs, {})[0] as C
}
