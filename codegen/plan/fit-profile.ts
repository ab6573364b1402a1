/** Limits that no plan for a target can satisfy, checked before fusion: sizes of tensors and of users' kernels. */

import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { type Profile, userThreads } from '../../passes/profile.ts'
import { typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { located } from '../../src/lang/provenance.ts'
import { topological } from '../../src/lang/topological.ts'

/** Indices are u32. */
const mostElements = 2 ** 32 - 1

/** The first limit of `profile`, or of u32 indices, that a node of `graph` exceeds. */
export const overTarget = (graph: Graph, profile: Profile): LimitError | undefined => {
  for (const n of topological(graph.outputs)) {
    for (const inner of graphsOf(n)) {
      const inside = overTarget(inner, profile)
      if (inside) return inside
    }
    const size = Math.max(...typesOf(n).map((t) => sizeOf(t.shape)))
    const over = (what: string, needed: number, allowed: number, hint: string): LimitError =>
      located({ tag: 'LimitError', what, needed, limit: allowed, hint }, [n])
    if (size > mostElements) return over(`elements of a ${n.op}`, size, mostElements, 'split the tensor')
    if (n.op !== 'kernel') continue
    const { name, workgroups, workgroupSize } = n.params
    const threads = userThreads(profile)
    if (workgroupSize > threads)
      return over(`invocations in a workgroup of ${name}`, workgroupSize, threads, 'give a smaller workgroupSize')
    const most = profile.maxGridSide ** 2
    if (workgroups > most) return over(`workgroups of ${name}`, workgroups, most, 'let an invocation do more')
  }
  return undefined
}
