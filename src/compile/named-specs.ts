/** Specs with named sizes: the names in them, and the specs that they are at given sizes. */
import { mostNames, type Trials, trialsOf } from '../../passes/graph/sizes/trials.ts'
import { raise } from '../lang/errors.ts'
import { isNamedSize, type NamedSize, type SizeValues } from '../lang/size.ts'
import { hasType } from '../lang/trace.ts'
import { flattenTree, unflattenTree } from '../lang/tree.ts'

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
