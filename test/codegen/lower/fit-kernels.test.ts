/** Programs whose tensors are larger than a binding, and than a buffer, run right and within the limits. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { makePlan } from '../../../codegen/plan/make-plan.ts'
import { verifyPlan } from '../../../codegen/plan/verify-plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../../passes/profile.ts'
import { printerFor } from '../../../src/compile/targets.ts'
import { build as b } from '../../../src/lang/build.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { arbGraph } from '../../../src/testing/arb-graph.ts'
import { difference, expectation } from '../../../src/testing/tolerance.ts'
import { planOf, runDevice, runKernelInterp } from '../../differential.ts'
import { type GptSize, gptSample } from '../../gpt-step.ts'
import { f32, i32, program } from '../../passes/graph/programs.ts'
import { inRange, stagesOf } from '../../random/harness.ts'

const tight = (storageBuffers: number, maxBindingBytes: number, maxBufferBytes: number): Profile => ({
  ...portable,
  storageBuffers,
  maxBindingBytes,
  maxBufferBytes,
})
const small = tight(8, 1024, 4096)
const size: GptSize = { blocks: 2, width: 8, heads: 2, vocabulary: 140, positions: 8 }

const simplified = (graph: Graph): Graph => stagesOf(graph).at(-1)!.graph

describe('random programs', () => {
  it.each([
    [8, 1024, 4096, false],
    [8, 1024, 1024, true],
    [4, 1024, 4096, true],
  ] as const)(
    'with %i bindings of %i bytes in buffers of %i',
    { timeout: 600_000 },
    (count, binding, buffer, donate) => {
      const profile = tight(count, binding, buffer)
      let judged = 0
      fc.assert(
        fc.property(arbGraph({ maxNodes: 30, maxElements: 600 }), (sample) => {
          const expected = expectation(sample)
          if ('discarded' in expected) return
          const graph = inRange(() => simplified(sample.graph))
          if (graph === 'without') return
          expect(difference(expected, runKernelInterp(graph, sample.inputs, profile, donate), graph)).toBeUndefined()
          judged++
        }),
        { seed: 42, numRuns: 40 },
      )
      expect(judged).toBeGreaterThan(25)
    },
  )
})

describe('a step of a GPT whose embedding is larger than a buffer', () => {
  const sample = gptSample(size, 5)
  const graph = simplified(sample.graph)
  const expected = expectation(sample)
  it.each([
    ['8 bindings of 1 KiB', small],
    ['4 bindings of 1 KiB', tight(4, 1024, 4096)],
  ])('agrees with the interpreter in %s', { timeout: 600_000 }, (_, profile) => {
    if ('discarded' in expected) throw new Error(`discarded: ${expected.discarded}`)
    const { plan } = planOf(graph, profile, true)
    expect(verifyPlan(plan)).toEqual([])
    for (const step of plan.steps)
      if (step.kind === 'dispatch') {
        expect(step.bindings.length).toBeLessThanOrEqual(profile.storageBuffers)
        for (const { bytes } of step.bindings) expect(bytes).toBeLessThanOrEqual(profile.maxBindingBytes)
      }
    expect(difference(expected, runKernelInterp(graph, sample.inputs, profile, true), graph)).toBeUndefined()
  })

  it('runs on a device', { timeout: 600_000 }, async () => {
    if ('discarded' in expected) throw new Error(`discarded: ${expected.discarded}`)
    expect(difference(expected, await runDevice(graph, sample.inputs, small, true), graph)).toBeUndefined()
  })
})

describe('a kernel that binds too much', () => {
  const run = (graph: Graph, profile: Profile): ReturnType<typeof planOf> => planOf(graph, profile, true)

  it('is cut where each part sees one stretch of each tensor', () => {
    const adam = program([f32(600), f32(600), f32(600), f32(600)], (p, m, v, g) => {
      const next = b.add([m, g!], {})
      const second = b.add([v, b.mul([g!, g!], {})], {})
      return [b.sub([p, b.mul([next, second], {})], {}), next, second]
    })
    const { plan } = run(adam, small)
    expect(verifyPlan(plan)).toEqual([])
    const dispatches = plan.steps.flatMap((s) => (s.kind === 'dispatch' ? [s] : []))
    expect(dispatches.length).toBeGreaterThan(1)
    // Parts of one size are one kernel, and every part writes as much as it says.
    expect(dispatches.every((s) => !s.inParts)).toBe(true)
    expect(plan.kernels.length).toBeLessThanOrEqual(dispatches.length)
  })

  it('is several where it is clusters side by side', () => {
    const maps = program(
      Array.from({ length: 12 }, () => f32(200)),
      (...xs) => xs.map((x) => b.exp([x], {}) as Node),
    )
    const { plan } = run(maps, tight(4, 1024, 1024))
    expect(plan.prediction.dispatches).toBeGreaterThan(2)
    expect(verifyPlan(plan)).toEqual([])
  })

  it('is stored in parts where one value takes too many tensors', () => {
    const sum = program(
      Array.from({ length: 12 }, () => f32(200)),
      (...xs) => xs.reduce((a, x) => b.add([a, x], {}) as Node),
    )
    const { plan } = planOf(sum, tight(4, 1024, 1024))
    expect(plan.prediction.dispatches).toBeGreaterThan(1)
  })

  it('gathers from a table in parts', () => {
    const { plan } = planOf(
      program([f32(150, 8), i32(40)], (t, i) => b.gather([t, i], { batch: 0 })),
      small,
    )
    expect(verifyPlan(plan)).toEqual([])
  })

  it('is refused only where an operation alone has more tensors than there are bindings', () => {
    const result = makePlan(
      {
        name: 'one',
        graph: program([f32(5)], (x) => b.exp([x], {})),
        inputs: [{ path: '[0]', donated: false }],
        outputs: [{ path: '', keep: false }],
        inputTree: { list: [0] },
        outputTree: 0 as never,
      },
      { ...portable, storageBuffers: 1 },
      printerFor(portable),
    )
    expect(E.isLeft(result) && result.left).toMatchObject({ tag: 'LimitError', needed: 2, limit: 1 })
  })
})
