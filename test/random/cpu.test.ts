/** Random programs and gradients in WebAssembly on several threads agree with the reference interpreter. */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { cpu } from '../../codegen/targets/wasm/profile.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import { loadPlan } from '../../src/runtime/execute.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { descentOf } from '../../src/testing/derivative.ts'
import { planOf } from '../differential.ts'
import { openTeam } from '../runtime/cpu/open-team.ts'
import { runs, stagesOf } from './harness.ts'
import { agreesOn, disagreementOn, type OnDevice } from './on-device.ts'

const timeout = 120 * 60_000
const seed = 101

const device = openTeam(2)
afterAll(async () => (await device).destroy())

/** Arguments are given away where subnormal numbers are kept: now and then. */
const onProcessor: OnDevice = async (list, subnormals) =>
  disagreementOn(list, { device: await device, profile: cpu, subnormals, donate: subnormals === 'keep' })

describe('random programs in WebAssembly', () => {
  test('values', { timeout }, () =>
    agreesOn(onProcessor, { name: 'values', seed, count: runs(900, 9000), subject: (s) => s }),
  )
  test('steps of descent', { timeout }, () =>
    agreesOn(onProcessor, {
      name: 'steps of descent',
      seed,
      count: runs(400, 4000),
      subject: descentOf,
      options: { maxNodes: 30, without: ['while'] },
    }),
  )
  const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')
  test('values of every primitive', { timeout }, () =>
    agreesOn(onProcessor, {
      name: 'every primitive',
      seed,
      count: runs(500, 5000),
      subject: (s) => s,
      options: { maxNodes: 25, ops },
    }),
  )
  test('steps of descent through loops and branches', { timeout }, () =>
    agreesOn(onProcessor, {
      name: 'through loops',
      seed,
      count: runs(200, 2000),
      subject: descentOf,
      options: { maxNodes: 15, ops: ops.filter((op) => op !== 'while') },
    }),
  )

  test('results that stay are written where they stay, run after run', { timeout }, async () => {
    for (const { graph: given, inputs } of fc.sample(arbGraph({ maxNodes: 30 }), { seed, numRuns: runs(60, 600) })) {
      const { graph } = stagesOf(given).at(-1)!
      const { plan } = planOf(graph, cpu)
      const kept = { ...plan, outputs: plan.outputs.map((slot) => ({ ...slot, keep: true })) }
      const hosts = inputs.map(({ data }) => (data instanceof Float64Array ? Float32Array.from(data) : data))
      const [reading, keeping] = [await loadPlan(await device, plan), await loadPlan(await device, kept)]
      const results = [await reading.run(hosts), await keeping.run(hosts), await keeping.run(hosts)]
      const [want, ...got] = await Promise.all(results.map((list) => Promise.all(list.map((o) => o.read()))))
      for (const again of got) expect(again, `seed ${seed}\n${showGraph(graph)}`).toEqual(want)
    }
  })
})
