/** Plans of random graphs that give their arguments away are sound: the verifier, which every plan passes, raises no false alarm. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { makePlan } from '../../../codegen/plan/make-plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { printerFor } from '../../../src/compile/targets.ts'
import { build as b, typeOf } from '../../../src/lang/build.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { arbGraph } from '../../../src/testing/arb-graph.ts'
import { resultPaths } from '../../differential.ts'

/** Random graphs whose arguments are given away, with results that could be updates in place and others that could not. */
describe('plans of random graphs', () => {
  const withUpdates = (graph: Graph): Graph => {
    const updates = (graph.inputs as readonly Node[]).flatMap((x) => {
      const { dtype, shape } = typeOf(x)
      if (dtype !== 'f32') return []
      const square = b.mul([x, x], {}) as Node
      return shape.length === 0 ? [square] : [square, b.add([x, b.flip([x], { axes: [0] })], {}) as Node]
    })
    return { inputs: graph.inputs, outputs: [...updates, ...graph.outputs] }
  }
  const profiles = [
    ['12 bindings', { storageBuffers: 12 }],
    ['6 bindings', { storageBuffers: 6 }],
    ['bindings of 256 bytes', { storageBuffers: 12, maxBindingBytes: 256 }],
  ] as const
  it.each(profiles)('are sound within %s', (_, limits) => {
    let planned = 0
    const check = ({ graph }: { readonly graph: Graph }): void => {
      const all = withUpdates(graph)
      const paths = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)
      const result = makePlan(
        {
          name: 'random',
          graph: all,
          inputs: all.inputs.map((_, i) => ({ path: `[${i}]`, donated: i % 3 !== 2 })),
          outputs: resultPaths(all, (i) => i % 3 !== 2).map((path) => ({ path, keep: false })),
          inputTree: { list: paths(all.inputs.length) },
          outputTree: { list: paths(all.outputs.length) },
        },
        { ...portable, ...limits },
        printerFor(portable),
      )
      // makePlan asks verifyPlan itself; what is left is that it gave a plan at all.
      if (E.isRight(result)) planned++
    }
    fc.assert(fc.property(arbGraph({ maxNodes: 25, specials: false, without: ['while', 'cond'] }), check), {
      seed: 42,
      numRuns: 60 * Number(process.env['TL_RUNS'] ?? 1),
    })
    expect(planned).toBeGreaterThan(45 * Number(process.env['TL_RUNS'] ?? 1))
  })
})
