/** Trees taken apart by labels of their leaves, and put together again. */
import { flattenTensors, unflattenTree } from '../lang/tree.ts'

/** The tree with what has another label left empty: an optimiser keeps no state for it. */
export const partOf = <P, L>(tree: P, labels: readonly L[], label: L): P => {
  const { leaves, shape } = flattenTensors(tree)
  return unflattenTree(
    shape,
    leaves.map((x, i) => (labels[i] === label ? x : null)),
  ) as P
}

/** The tree with the leaves of each label from that label's part, and its own where there is no such part. */
export const withParts = <P, L>(tree: P, labels: readonly L[], parts: ReadonlyMap<L, unknown>): P => {
  const { leaves, shape } = flattenTensors(tree)
  const ofLabel = new Map([...parts].map(([label, part]) => [label, flattenTensors(part).leaves.values()]))
  return unflattenTree(
    shape,
    leaves.map((x, i) => ofLabel.get(labels[i]!)?.next().value ?? x),
  ) as P
}
