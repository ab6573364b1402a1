/** One iteration of a loop: what it stores is stored for itself, also where results are one value several times. */
import { expect, it } from 'vitest'
import { turnOf } from '../../../../passes/loop/from-graph/loop-turn.ts'
import * as T from '../../../../src/index.ts'
import type { LoopNode, Node } from '../../../../src/lang/ir.ts'
import { topological } from '../../../../src/lang/topological.ts'
import { stagesOf } from '../../../random/harness.ts'

/** The loop of a program, as it is lowered. */
const loopOf = (f: (x: T.Tensor) => unknown): LoopNode => {
  const made = T.compile(f as never, [T.spec([4])] as never)
  if (made._tag === 'Left') throw new Error(JSON.stringify(made.left))
  const { graph } = stagesOf((made.right as unknown as T.Program).stages[0]!.graph).at(-1)!
  return topological(graph.outputs).find((n) => n.op === 'scan' || n.op === 'while') as LoopNode
}

const below = (n: Node): ReadonlySet<Node> => new Set(topological(n.args))

it('of a scan that stacks one value three times, and carries it', () => {
  const step = (c: T.Tensor, t: T.Tensor) => {
    const y = T.tanh(T.add(c, t))
    return [y, [y, y, y]]
  }
  const { graph, rows, carries } = turnOf(loopOf((x) => T.scan(step as never, x, T.arange(3) as never)))
  expect(new Set(graph.outputs).size).toBe(graph.outputs.length)
  const stored = new Set<Node>([...rows, ...carries.map((c) => c.write)])
  for (const n of stored) for (const m of below(n)) expect(stored.has(m)).toBe(false)
})
