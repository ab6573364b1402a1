/** Random programs whose workgroups share whatever they can agree with those of which every invocation works alone. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyKernel } from '../../codegen/kernel/verify-kernel.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { hardware, software } from '../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../passes/profile.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { interpretPlan, planOf } from '../differential.ts'
import { runs, stagesOf } from './harness.ts'

const seed = 11

/** Workgroups are small, barriers free and invocations dear: rows of nine elements are shared already. */
const eager: Profile = {
  ...hardware,
  workgroupThreads: 16,
  costs: { ...hardware.costs, flops: 1e5, barrier: 0, threads: 1 << 24, dispatch: 1e-9 },
}

const sharesMemory = ({ kernels }: Plan): boolean =>
  kernels.some(({ kernel }) => kernel.arrays.some((a) => a.space === 'workgroup'))

/** Fusion may round in other places: functions are the same, what they are given may differ in its last bits. */
const isNear = (x: number, y: number): boolean =>
  Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-5 * (1 + Math.abs(y)) || (Number.isNaN(x) && Number.isNaN(y))

const differences = (got: readonly Value[], want: readonly Value[]): readonly number[] =>
  want.flatMap(({ data }, o) => (Array.from(data).every((y, i) => isNear(got[o]!.data[i]!, y)) ? [] : [o]))

test('random programs', { timeout: 60 * 60_000 }, () => {
  let shared = 0
  for (const { graph: given, inputs } of fc.sample(arbGraph({ maxNodes: 30, maxElements: 3000 }), {
    seed,
    numRuns: runs(60, 2000),
  })) {
    const { graph } = stagesOf(given).at(-1)!
    const [together, alone] = [planOf(graph, eager).plan, planOf(graph, software).plan]
    if (sharesMemory(together)) shared++
    const text = `seed ${seed}:\n${showGraph(graph)}`
    for (const { kernel } of together.kernels) expect(verifyKernel(kernel), text).toEqual([])
    expect(differences(interpretPlan(together, inputs), interpretPlan(alone, inputs)), text).toEqual([])
  }
  expect(shared).toBeGreaterThan(runs(12, 400))
})
