/** Named sizes: how they are made, which of them specs have, and what specs are at given sizes. */
import { mostNames, type Trials, trialsOf } from '../../passes/graph/sizes/trials.ts'
import { isDim } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { isNamedSize, type NamedSize, type SizeValues } from '../lang/size.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { hasType } from '../lang/trace.ts'
import { flattenTree, unflattenTree } from '../lang/tree.ts'

/** The bound of a size that is known when a program runs, and the least that it can be, 0 by default. */
export interface DimOptions {
  readonly max: number
  readonly min?: number | undefined
}

const dimOptions: OptionNames<DimOptions> = { max: 'must count', min: 'size' }

/**
 * An axis of any size from `min` (0) to `max`, for `spec`: the program is compiled once. Tensors are laid out at the bound; sums, means, losses and
 * gradients count the elements that there are. Axes of one name have one size. The function is traced at three sizes: `x.shape` holds numbers, and what is
 * computed from them follows the size of a run; what needs a size that is known (sorting along the axis, a choice by the size) is a CheckError of `compile`.
 * UsageError for a bound below 2 or below `min`.
 * @example
 * const mean = T.orThrow(T.compile((x) => T.mean(x, { axis: 0 }), [T.spec([T.dim('batch', { max: 8 }), 2])]))
 * const loaded = await T.toPromise(mean.load())
 * await (await loaded.run(new Float32Array([1, 2, 3, 4]))).read() // => [2, 3]
 * await (await loaded.run(new Float32Array([1, 2, 3, 4, 5, 6]))).read() // => [3, 4]
 */
export const dim = <const N extends string>(name: N, options: DimOptions): NamedSize<N> => {
  demandRecord('T.dim', dimOptions, options)
  const { min = 0, max } = options
  if (typeof name !== 'string' || name === '')
    raise({ tag: 'UsageError', message: 'dim: a size has a name', hint: "write T.dim('batch', { max: 512 })" })
  if (!isDim(max) || max < 2 || !isDim(min) || min > max)
    raise({
      tag: 'UsageError',
      message: `dim: '${name}' goes from ${min} to ${max}, which are no whole numbers in order, the bound 2 or more`,
      hint: `write T.dim('${name}', { max: 512 })`,
    })
  return Object.freeze(printedCall({ dim: name, min, max }, 'T.dim', name, options))
}

/** The trials for the named sizes in `specs`; none where all sizes are known. UsageError for one name with two bounds, or for too many. */
export const trialsIn = (specs: readonly unknown[]): Trials | undefined => {
  const names = new Map<string, NamedSize>()
  for (const { shape } of flattenTree(specs, hasType).leaves)
    for (const size of shape as readonly unknown[]) {
      if (!isNamedSize(size)) continue
      const known = names.get(size.dim) ?? size
      if (known.max !== size.max || known.min !== size.min)
        raise({
          tag: 'UsageError',
          message: `compile: '${size.dim}' goes from ${known.min} to ${known.max}, and from ${size.min} to ${size.max}`,
          hint: 'make the size once, and give it wherever it stands',
        })
      names.set(size.dim, size)
    }
  if (names.size > mostNames)
    raise({ tag: 'UsageError', message: `compile: ${names.size} named sizes, of which there may be ${mostNames}` })
  return names.size === 0 ? undefined : trialsOf([...names.values()])
}

/** `specs` with numbers in the place of names. */
export const specsAt = (specs: readonly unknown[], values: SizeValues): readonly unknown[] => {
  const { leaves, shape } = flattenTree(specs, hasType)
  const at = leaves.map((leaf) =>
    (leaf.shape as readonly unknown[]).some(isNamedSize)
      ? {
          shape: (leaf.shape as readonly unknown[]).map((s) => (isNamedSize(s) ? values.get(s.dim) : s)),
          dtype: leaf.dtype,
        }
      : leaf,
  )
  return unflattenTree(shape, at) as readonly unknown[]
}
