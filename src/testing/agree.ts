/** The law of compilers, and of users' own WGSL: what a device computes is what the reference means. */
import * as fc from 'fast-check'
import { compile, orThrow, spec, toPromise } from '../compile/compile.ts'
import { defaultDevice } from '../compile/eager.ts'
import { allocate } from '../lang/dtype.ts'
import type { Value } from '../lang/primitive.ts'
import { showGraph } from '../lang/print/graph-text.ts'
import { demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { flattenTree, isTensor, unflattenTree } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Device } from '../runtime/device.ts'
import { profileOf } from '../runtime/open-device.ts'
import type { Output } from '../runtime/resident.ts'
import { sampleOfCall } from './check-grad.ts'
import { difference, expectation } from './tolerance.ts'

/** Where to run, and how often on random arguments. */
export interface AgreeOptions {
  /** The default device unless said. */
  readonly device?: Device | undefined
  /** Random arguments to try; 30 unless said. */
  readonly numRuns?: number | undefined
  /** The same seed tries the same arguments. */
  readonly seed?: number | undefined
}

const agreeOptions: OptionNames<AgreeOptions> = { device: 'own', numRuns: 'count', seed: 'integer' }

/** An arbitrary in the place of each argument. */
type Arbitraries<A extends readonly unknown[]> = { readonly [K in keyof A]: fc.Arbitrary<A[K]> }

const isOutput = (x: unknown): x is Output =>
  typeof x === 'object' && x !== null && 'read' in x && typeof x.read === 'function'

/** One call judged: false where nothing can be said. */
const agreesAt = async (
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
  device: Device,
): Promise<boolean> => {
  const sample = sampleOfCall('agreesWithReference', f as (...xs: readonly unknown[]) => unknown, args)
  const expected = expectation(sample)
  if ('discarded' in expected) return false
  const { leaves, shape } = flattenTree<Tensor>(args, isTensor)
  const specs = unflattenTree(
    shape,
    leaves.map((x) => spec(x.shape, x.dtype)),
  ) as readonly unknown[]
  const program = orThrow(compile(f as never, specs, { name: 'agreesWithReference', profile: profileOf(device) }))
  const loaded = await toPromise(program.load(device))
  const result = await loaded.run(...(args as unknown as never[]))
  const outputs = flattenTree<Output>(result, isOutput).leaves
  const actual = await Promise.all(
    outputs.map(async (o, i): Promise<Value> => {
      const { dtype, shape: own } = expected.values[i]!
      const data = allocate(dtype, expected.values[i]!.data.length)
      data.set((await o.read()) as ArrayLike<number>)
      return { shape: own, dtype, data }
    }),
  )
  const found = difference(expected, actual, sample.graph)
  if (found) throw new Error(`agreesWithReference: ${found}\n${showGraph(sample.graph, { elide: true })}`)
  return true
}

/**
 * Compiles `f` for the types of `args` (trees of constant tensors), runs it on a device and compares every element with
 * the Float64 interpreter; a user's own op with its reference. The tolerance follows from how eight perturbed runs of the
 * interpreter spread. Where `args` are arbitraries of such trees, it does so on random arguments. Rejects with an Error
 * that names the element and shows the graph, for arbitraries at the smallest arguments where it differs; resolves to false where rounding
 * decides a discrete value (a comparison, an index) in every case, so that nothing can be said.
 * @example
 * await testing.agreesWithReference((x: T.Tensor) => T.exp(x), [T.tensor([0, 1.5])]) // => true
 * const x = testing.arbShape().chain((shape) => testing.arbTensor({ shape, dtype: 'f32' }))
 * await testing.agreesWithReference((t: T.Tensor) => T.tanh(t), [x], { numRuns: 5, seed: 42 }) // => true
 */
export const agreesWithReference = async <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A | Arbitraries<A>,
  options: AgreeOptions = {},
): Promise<boolean> => {
  demandList('agreesWithReference', args, 'arguments', 'agreesWithReference(f, [x])')
  demandRecord('agreesWithReference', agreeOptions, options)
  const device = options.device ?? (await defaultDevice())
  if (args.length === 0 || !args.every((a) => a instanceof fc.Arbitrary)) return agreesAt(f as never, args, device)
  let judged = 0
  const { numRuns = 30, seed } = options
  await fc.assert(
    fc.asyncProperty(fc.tuple(...(args as readonly fc.Arbitrary<unknown>[])), async (drawn) => {
      if (await agreesAt(f as never, drawn, device)) judged += 1
    }),
    { numRuns, ...(seed === undefined ? {} : { seed }) },
  )
  return judged > 0
}
