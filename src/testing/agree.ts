/** The law of compilers: what a device computes is what the interpreter means. */
import { compile, orThrow, spec, toPromise } from '../compile.ts'
import { defaultDevice } from '../eager.ts'
import { allocate } from '../lang/dtype.ts'
import type { Value } from '../lang/primitive.ts'
import { flattenTree, isTensor, unflattenTree } from '../lang/tree.ts'
import type { Tensor } from '../lang/types.ts'
import { type Device, profileOf } from '../runtime/device.ts'
import type { Output } from '../runtime/resident.ts'
import { sampleOfCall } from './check-grad.ts'
import { difference, expectation } from './tolerance.ts'

/** Where to run. */
export interface AgreeOptions {
  /** The default device unless said. */
  readonly device?: Device
}

const isOutput = (x: unknown): x is Output =>
  typeof x === 'object' && x !== null && 'read' in x && typeof x.read === 'function'

/**
 * Compiles `f` for the types of `args` (trees of constant tensors), runs it on a device and compares every element with
 * the Float64 interpreter. The tolerance follows from how eight perturbed runs of the interpreter spread. Rejects with
 * an Error that names the element; resolves to false where rounding decides a discrete value (a comparison, an index),
 * so that nothing can be said.
 * @example
 * await testing.agreesWithReference((x: T.Tensor) => T.exp(x), [T.tensor([0, 1.5])]) // => true
 */
export const agreesWithReference = async <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: AgreeOptions = {},
): Promise<boolean> => {
  const sample = sampleOfCall(f, args)
  const expected = expectation(sample)
  if ('discarded' in expected) return false
  const device = options.device ?? (await defaultDevice())
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
  if (found) throw new Error(`agreesWithReference: ${found}`)
  return true
}
