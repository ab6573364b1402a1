/**
 * The structure of a cluster: what it computes, with tensors in memory numbered in the order they are met. Clusters of
 * equal structure (the blocks of a network) have equal keys, and are lowered, scheduled and priced once.
 */
import { typesOf } from '../../../src/lang/build.ts'
import type { Node } from '../../../src/lang/ir.ts'

/** A structure, and the nodes that stand in it here. */
export interface Structure {
  readonly key: string
  /** Tensors that the cluster may load, by number. */
  readonly operands: readonly Node[]
  /** Nodes computed inside the cluster, operands before users. */
  readonly members: readonly Node[]
}

/** Numbers as text that tells all of them apart: -0, NaN and the infinities too. */
const showNumber = (_: string, v: unknown): unknown =>
  typeof v === 'number' && (!Number.isFinite(v) || Object.is(v, -0)) ? `#${Object.is(v, -0) ? '-0' : v}` : v

const types = new WeakMap<Node, string>()
const typeText = (n: Node): string => {
  const known = types.get(n)
  if (known !== undefined) return known
  const text = typesOf(n)
    .map(({ shape, dtype }) => `${dtype}[${shape.join()}]`)
    .join()
  types.set(n, text)
  return text
}

const heads = new WeakMap<Node, string>()
/** Operation, parameters and types of a node, without its operands. */
const headOf = (n: Node): string => {
  const known = heads.get(n)
  if (known !== undefined) return known
  const text = `${n.op}${JSON.stringify(n.params, showNumber)}:${typeText(n)}`
  heads.set(n, text)
  return text
}

/**
 * The structure of the cluster that stores `own`. `isMember` says which nodes it computes; `rowOf` is the text and the
 * counter of a node that is stored as a row of a larger tensor.
 */
export const structureOf = (
  own: readonly Node[],
  isMember: (n: Node) => boolean,
  rowOf: (n: Node) => { readonly counter: Node; readonly length: number } | undefined,
): Structure => {
  const numbers = new Map<Node, number>()
  const operands: Node[] = []
  const members: Node[] = []
  let key = ''
  const stack: { readonly node: Node; next: number }[] = []
  /** True when `n` has its number; else it is put on the stack. */
  const visit = (n: Node): void => {
    if (numbers.has(n)) return
    if (isMember(n)) {
      stack.push({ node: n, next: 0 })
      return
    }
    numbers.set(n, numbers.size)
    operands.push(n)
    key += `@${typeText(n)};`
  }
  const walk = (root: Node): void => {
    visit(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      if (top.next < top.node.args.length) {
        visit(top.node.args[top.next++]!)
        continue
      }
      stack.pop()
      if (numbers.has(top.node)) continue
      key += `${headOf(top.node)}(${top.node.args.map((a) => numbers.get(a)).join()});`
      numbers.set(top.node, numbers.size)
      members.push(top.node)
    }
  }
  for (const n of own) {
    walk(n)
    const row = rowOf(n)
    if (row) walk(row.counter)
    key += `=${numbers.get(n)}${row ? `/${row.length}:${numbers.get(row.counter)}` : ''};`
  }
  return { key, operands, members }
}
