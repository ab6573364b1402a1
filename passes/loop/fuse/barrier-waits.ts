/**
 * Control dependences of barriers: a barrier reads its first operand only; the others must merely be computed before.
 */
import type { Node } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'

/** The operands whose elements a node reads. */
export const operandsRead = (n: Node): readonly Node[] => (n.op === 'barrier' ? n.args.slice(0, 1) : n.args)

/** Whether the program contains a barrier with control dependences. */
export const hasBarriers = (outputs: readonly Node[]): boolean => topological(outputs).some((n) => n.op === 'barrier')

/**
 * The nearest nodes at or below `roots` for which `stops` holds, found through `next`; every other node on the way is
 * given to `visit`.
 */
const walkTo = (
  roots: readonly Node[],
  stops: (n: Node) => boolean,
  next: (n: Node) => readonly Node[],
  visit: (n: Node) => void,
): ReadonlySet<Node> => {
  const found = new Set<Node>()
  const seen = new Set<Node>(roots)
  const stack = [...roots]
  for (let n = stack.pop(); n; n = stack.pop()) {
    if (stops(n)) {
      found.add(n)
      continue
    }
    visit(n)
    for (const a of next(n)) {
      if (seen.has(a)) continue
      seen.add(a)
      stack.push(a)
    }
  }
  return found
}

/**
 * The stored nodes that a cluster of the nodes `own` waits for: nearest to what the barriers inside it wait for.
 * `isStored` says what is read instead of computed.
 */
export const waitsOf = (own: readonly Node[], isStored: (n: Node) => boolean): ReadonlySet<Node> => {
  const mine = new Set(own)
  const waited: Node[] = []
  const outside = (n: Node): boolean => isStored(n) && !mine.has(n)
  walkTo(own, outside, operandsRead, (n) => {
    if (n.op === 'barrier') waited.push(...n.args.slice(1))
  })
  const found = walkTo(
    waited,
    isStored,
    (n) => n.args,
    () => {},
  )
  return new Set([...found].filter((n) => !mine.has(n)))
}
