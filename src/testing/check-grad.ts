/** The law of derivatives: gradients agree with finite differences in Float64, and both modes with one another, twice over. */
import { typeOf } from '../lang/build.ts'
import { TensorloomError } from '../lang/errors.ts'
import { demandChoice, demandFunction, demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { traceTree } from '../lang/trace.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import { nodeOf, type Tensor } from '../lang/types/tensor.ts'
import { gradientOf } from './derivative.ts'
import { seededDice } from './dice.ts'
import type { Sample } from './sample.ts'
import { agrees, constantOf, dotTest, drawCotangent, type SlopePair, slopesOf } from './slopes.ts'

/** How derivatives are compared. */
export interface GradOptions {
  /** Allowed difference relative to the larger of the two; 1e-4 unless said. */
  readonly tolerance?: number | undefined
  /**
   * Up to so many elements of an argument are moved one by one; 24 unless said. All elements of a larger one are moved
   * together along random directions.
   */
  readonly maxElements?: number | undefined
  /** Derivatives that are checked: the first, or the second too. 2 unless said, where the function has a second one. */
  readonly order?: 1 | 2 | undefined
  /** What decides the random cotangents and directions; 42 unless said. A failure names it. */
  readonly seed?: number | undefined
}

const gradOptions: OptionNames<GradOptions> = {
  tolerance: 'amount',
  maxElements: 'size',
  order: 'own',
  seed: 'integer',
}

/** What the messages of one order call things. */
interface Wording {
  readonly gradient: string
  readonly differences: string
}

const wordings: Readonly<Record<1 | 2, Wording>> = {
  1: { gradient: 'the gradient', differences: 'finite differences' },
  2: { gradient: "the gradient's gradient", differences: 'finite differences of the gradient' },
}

const showElements = ({ elements }: SlopePair): string => {
  if (elements.length === 1) return `element ${elements[0]}`
  return `along a random direction in elements ${elements[0]} to ${elements[elements.length - 1]}`
}

/** Whether an error says that there is no derivative: of a user's kernel for one, which need not have a second. */
const isWithout = (e: unknown): boolean =>
  e instanceof TensorloomError &&
  e.error.tag === 'UsageError' &&
  /(reverse|forward) mode|was defined without/.test(e.error.message)

/**
 * Checks `f` at `args` (trees of constant tensors, as f takes them): its gradient against central differences of the
 * Float64 interpreter, for random cotangents of all float results, and forward against reverse mode (where a customVjp
 * leaves one); then the same for that gradient, unless `order` is 1. Throws an Error that names the argument and element
 * where they differ, and the seed, or where the function has a kink. Where only its gradient has one (relu(x)² at 0),
 * there is no second derivative to check. An argument without a gradient counts as one that nothing depends on.
 * @example
 * testing.checkGrad((x: T.Tensor) => T.sum(T.exp(x)), [T.tensor([0.5, 1])]) // => undefined
 */
export const checkGrad = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: GradOptions = {},
): void => {
  demandRecord('checkGrad', gradOptions, options)
  const { tolerance = 1e-4, maxElements = 24, order, seed = 42 } = options
  demandChoice('checkGrad', 'order', order, [1, 2])
  const sample = sampleOfCall('checkGrad', f, args)
  const dice = seededDice(seed)
  const fault = (what: string): Error => new Error(`checkGrad: ${what} (seed ${seed})`)
  const check = (s: Sample, at: 1 | 2): void => {
    const { gradient, differences } = wordings[at]
    const slopes = slopesOf(s, { maxElements, tolerance, dice, isWhole: at === 2 })
    if (!slopes) throw fault('no result depends on a float argument in a way that has a derivative')
    for (const p of slopes) {
      const where = `argument ${sample.paths[p.input]}, ${showElements(p)}`
      if (!p.settled && at === 2) continue
      if (!p.settled) throw fault(`${where}: ${differences} do not settle: the function has a kink there`)
      if (!agrees(p, tolerance))
        throw fault(`${where}: ${gradient} is ${p.gradient}, ${differences} give ${p.difference}`)
    }
    const both = dotTest(s, dice)
    if (both === undefined || (at === 2 && !Number.isFinite(both.size))) return
    const { forward, reverse, size } = both
    if (!(Math.abs(forward - reverse) <= 1e-9 * Math.max(1e-3, size)))
      throw fault(
        `${at === 2 ? 'of the gradient, ' : ''}forward mode gives ${forward}, reverse mode ${reverse} in the same direction`,
      )
  }
  check(sample, 1)
  if (order === 1) return
  const gradient = gradientOf(sample, drawCotangent(dice))!.sample
  try {
    check(gradient, 2)
  } catch (e) {
    if (order === 2 || !isWithout(e)) throw e
  }
}

/** The call `f(...args)` as a sample: the traced graph and the values of the constant tensors; `caller` needs it. */
export const sampleOfCall = <A extends readonly unknown[]>(
  caller: string,
  f: (...args: A) => unknown,
  args: A,
): Sample & { readonly paths: readonly string[] } => {
  demandFunction(caller, 'the first argument', f)
  demandList(caller, args, 'arguments', `${caller}(f, [x])`)
  const { leaves } = flattenTree<Tensor>(args, isTensor)
  const traced = traceTree(f as (...xs: never[]) => unknown, args)
  const inputs = leaves.map((leaf) => constantOf(nodeOf(leaf))!)
  for (const n of traced.graph.outputs) typeOf(n)
  return { graph: traced.graph, inputs, paths: traced.inputPaths }
}
