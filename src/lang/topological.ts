/** Topological order of a graph, iterative: graphs are deeper than JavaScript's stack. */
import type { Node } from './ir.ts'

/** Every node reachable from `roots`, each after all of its arguments, in a deterministic order. */
export const topological = (roots: readonly Node[]): readonly Node[] => {
  const order: Node[] = []
  const seen = new Set<Node>()
  const stack: { node: Node; next: number }[] = []
  for (const root of roots) {
    if (seen.has(root)) continue
    seen.add(root)
    stack.push({ node: root, next: 0 })
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      if (top.next === top.node.args.length) {
        order.push(top.node)
        stack.pop()
        continue
      }
      const arg = top.node.args[top.next++]!
      if (!seen.has(arg)) {
        seen.add(arg)
        stack.push({ node: arg, next: 0 })
      }
    }
  }
  return order
}
