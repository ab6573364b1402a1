/** Choices among things: classes, orders, elements with and without putting them back. */
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { flattenTensors, mapTree } from '../../tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandRecord, demandShape, type OptionNames } from '../arguments.ts'
import { take, takeAlongAxis, takeCounted } from '../index/picking.ts'
import { search } from '../index/searchsorted.ts'
import { sortedNode } from '../index/sorting.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, onAxis, refuse, reshapeNode, withTypes } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'
import { gumbelOf } from './inverse.ts'
import { withKey } from './keys.ts'
import { type DistributionOfLines, onLines, readCall, withParameters } from './parameters.ts'
import { bitsNode, randint, unitNode } from './uniform.ts'

/** Logarithms of how likely the classes are, up to a constant, along the last axis. */
export interface CategoricalOptions {
  readonly logits: Tensor
}

const categoricalOptions: OptionNames<CategoricalOptions> = { logits: 'must tensor' }

/**
 * Classes (i32 of `shape`) of the distribution `softmax(logits)` along the last axis of the logits, whose leading axes
 * broadcast to the shape, which may be left out; by the Gumbel trick (jax.random.categorical). ShapeError for a scalar.
 * @example
 * const logits = T.tensor([[0, -1e4], [-1e4, 0]])
 * T.reference(random.categorical(random.key(0), { logits })).data // => [0, 1]
 */
export const categorical: DistributionOfLines<CategoricalOptions, 'i32'> = (k: Tensor, ...args: readonly unknown[]) => {
  const name = 'random.categorical'
  const { shape, parameters } = readCall(name, categoricalOptions, args)
  return onLines(name, parameters.logits, 'logits', shape, (full) =>
    withParameters(name, k, full, [parameters.logits], ([logits], a, b) => {
      const scores = binaryNode('add', logits!, gumbelOf(bitsNode(a, b, full)))
      return build.get([build.reduce([scores], { monoid: 'argmax', axes: [full.length - 1] })], { index: 1 })
    }),
  )
}

/** Along which axis (0), and whether every line along it has an order of its own. */
export interface PermutationOptions {
  readonly axis?: number | undefined
  readonly independent?: boolean | undefined
}

const permutationOptions: OptionNames<PermutationOptions> = { axis: 'own', independent: 'boolean' }

/** The indices of random words in order. */
const shuffled = (a: Node, b: Node, shape: Shape, axis: number): Node =>
  sortedNode(bitsNode(a, b, shape), axis, false, 1)

const order = (name: string, k: Tensor, shape: Shape, axis: number): Tensor<Shape, 'i32'> =>
  withKey(name, k, shape, (a, b) => shuffled(a, b, shape, axis))

type Permutation = {
  (k: Tensor, n: number): Tensor<readonly [number], 'i32'>
  <S extends Shape, D extends DType>(k: Tensor, x: Tensor<S, D>, options?: PermutationOptions): Tensor<S, D>
}

/**
 * The numbers 0 … n-1 (i32) in random order, or the slices of `x` along `axis` (0), each line in its own order with
 * `independent` (jax.random.permutation's distribution, not its numbers). The order is that of random 32-bit words, equal
 * ones by position: a pair is affected with probability 2⁻³². The same on every backend. ShapeError for an axis out of
 * range or an n that is no size.
 * @example
 * T.reference(T.sort(random.permutation(random.key(0), 5))).data // => [0, 1, 2, 3, 4]
 */
export const permutation: Permutation = (k: Tensor, x: number | Tensor, options: PermutationOptions = {}): never => {
  const name = 'random.permutation'
  demandRecord(name, permutationOptions, options)
  const { axis = 0, independent = false } = options
  if (typeof x === 'number') return order(name, k, [x], 0) as never
  return onAxis(name, x, axis, (n, a, { shape }) => {
    const index = independent ? order(name, k, shape, a) : order(name, k, [shape[a]!], 0)
    const x = tensorOf(n)
    return nodeOf(independent ? takeAlongAxis(x, index, { axis: a }) : take(x, index, { axis: a }))
  }) as never
}

/** Along which axis (0). */
export interface ShuffleOptions {
  readonly axis?: number | undefined
}

const shuffleOptions: OptionNames<ShuffleOptions> = { axis: 'own' }

/**
 * The slices of a tensor, or of all tensors of a tree, along `axis` (0) in random order, one order for all of them, so that
 * inputs and labels stay together; for a tensor alone it is `permutation`'s. ShapeError for an axis out of range, and where the
 * axis has another size than the first tensor's.
 * @example
 * const { x, y } = random.shuffle(random.key(0), { x: T.arange(5), y: T.mul(T.arange(5), 10) })
 * T.reference(T.sub(y, T.mul(x, 10))).data // => [0, 0, 0, 0, 0]
 */
export const shuffle = <T>(k: Tensor, tree: T, options: ShuffleOptions = {}): T => {
  const name = 'random.shuffle'
  demandRecord(name, shuffleOptions, options)
  const { axis = 0 } = options
  const [first] = flattenTensors(tree).leaves
  return mapTree(tree, (x) =>
    onAxis(name, x, axis, (n, a, { shape }) => {
      const at = onAxis(name, first, axis, (m, b, { shape: of }) =>
        of[b] === shape[a]
          ? nodeOf(order(name, k, [of[b]!], 0))
          : refuse(name, [m, n], { reason: `axis ${axis} has sizes ${of[b]} and ${shape[a]}`, axis: a }),
      )
      return nodeOf(take(tensorOf(n), at, { axis: a }))
    }),
  ) as T
}

/** How `choice` chooses. */
export interface ChoiceOptions {
  /** Whether an element can be chosen again (true). */
  readonly replace?: boolean | undefined
  /** Weights, one an element, not negative; equal ones by default. */
  readonly p?: Tensor | undefined
  /** The axis whose slices are chosen (0). */
  readonly axis?: number | undefined
}

const choiceOptions: OptionNames<ChoiceOptions> = { replace: 'boolean', p: 'tensor', axis: 'own' }

/** Indices in 0 … n-1, in `shape`. */
const chosen = (k: Tensor, n: number, shape: Shape, replace: boolean, p: Node | undefined): Node => {
  const name = 'random.choice'
  if (replace && !p) return nodeOf(randint(k, shape, { high: n }))
  const count = sizeOf(shape)
  return nodeOf(
    withKey(name, k, shape, (a, b) => {
      if (!p) return reshapeNode(narrowNode(shuffled(a, b, [n], 0), 0, 0, count), shape)
      if (!replace) {
        const scores = binaryNode('add', build.log([p], {}), gumbelOf(bitsNode(a, b, [n])))
        return reshapeNode(narrowNode(sortedNode(scores, 0, true, 1), 0, 0, count), shape)
      }
      const sums = build.cumulate([p], { monoid: 'sum', axis: 0, reverse: false })
      const total = expandNode(reshapeNode(narrowNode(sums, 0, n - 1, n), []), shape)
      const type = { shape, dtype: 'f32' } as const
      const at = binaryNode('mul', total, binaryNode('sub', likeNode(1, type), unitNode(a, b, shape)))
      return binaryNode('min', search(sums, at, n, 0, false), likeNode(n - 1, { shape, dtype: 'i32' }))
    }),
  )
}

type Choice = {
  (k: Tensor, n: number, shape: Shape, options?: ChoiceOptions): Tensor<Shape, 'i32'>
  <D extends DType>(k: Tensor, x: Tensor<Shape, D>, shape: Shape, options?: ChoiceOptions): Tensor<Shape, D>
}

/**
 * Random choices: numbers in 0 … n-1 (i32) in `shape`, or slices of `x` along `axis` (0), which `shape` replaces; with or
 * without putting back, by equal or given weights (jax.random.choice). By weights without putting back: the greatest of
 * log p plus Gumbel numbers. ShapeError where there is nothing to choose from, where more is drawn than there is
 * without putting back, or where p does not fit.
 * @example
 * const two = random.choice(random.key(0), 5, [2], { replace: false, p: T.tensor([1, 0, 0, 0, 1]) })
 * T.reference(T.sort(two)).data // => [0, 4]
 */
export const choice: Choice = (k: Tensor, x: number | Tensor, shape: Shape, options: ChoiceOptions = {}): never => {
  const name = 'random.choice'
  demandRecord(name, choiceOptions, options)
  demandShape(name, shape)
  const { replace = true, p, axis = 0 } = options
  const weights = p && lift(name, p, 2)
  const indices = (n: number, nodes: readonly Node[]): Node =>
    withTypes(name, weights ? [weights] : [], ([type]) => {
      const wrong = (reason: string): Node => refuse(name, nodes, { reason })
      if (!Number.isInteger(n)) return wrong(`${n} is no number of things`)
      if (n < 1 && sizeOf(shape) > 0) return wrong('there is nothing to choose from')
      if (!replace && sizeOf(shape) > n) return wrong(`${sizeOf(shape)} of ${n} cannot be chosen without putting back`)
      if (type && (type.shape.length !== 1 || type.shape[0] !== n))
        return wrong(`the weights have shape ${showShape(type.shape)}, not [${n}]`)
      if (n < 1) return likeNode(0, { shape, dtype: 'i32' })
      return chosen(k, n, shape, replace, weights && castNode(weights, 'f32'))
    })
  if (typeof x === 'number') return tensorOf(indices(x, [lift(name, k)])) as never
  return onAxis(name, x, axis, (n, a) => {
    const index = indices(typeOf(n).shape[a]!, [n])
    return withTypes(name, [index], () => nodeOf(takeCounted(tensorOf(n), tensorOf(index), { axis: a })))
  }) as never
}
