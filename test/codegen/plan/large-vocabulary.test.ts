/** A training step with a large vocabulary does no more for another word than its row of the embedding and its logits take. */
import { expect, it } from 'vitest'
import { dispatchWork, type Work } from '../../../codegen/plan/predict.ts'
import { planOf } from '../../differential.ts'
import { gptSample } from '../../gpt-step.ts'
import { stagesOf } from '../../random/harness.ts'

const [tokens, width] = [32, 64]

const kernels = (vocabulary: number): readonly (Work & { readonly name: string })[] => {
  const { graph } = gptSample({ blocks: 1, width, heads: 2, vocabulary, positions: 64 }, tokens)
  return planOf(stagesOf(graph).at(-1)!.graph, undefined, true).kernels.map((k) => ({
    name: k.kernel.name,
    ...dispatchWork(k),
  }))
}

it('kernel by kernel', { timeout: 300_000 }, () => {
  const [few, many] = [kernels(4096), kernels(8192)]
  expect(many.map((k) => k.name)).toEqual(few.map((k) => k.name))
  const more = many.map((k, i) => ({
    name: k.name,
    flops: (k.flops - few[i]!.flops) / 4096,
    bytes: (k.bytes - few[i]!.bytes) / 4096,
  }))
  const product = 2 * tokens * width
  // The logits, the cotangents of their operand and of the table: three contractions, and nothing else of that size.
  expect(more.filter((k) => k.flops >= product)).toHaveLength(3)
  for (const { flops } of more) expect(flops).toBeLessThan(2.5 * product)
  // Passes over the logits themselves: maximum, exponentials, their sum, the cotangent.
  const passes = more.filter((k) => k.flops > 0 && k.flops < product)
  expect(passes.length).toBeLessThanOrEqual(4)
  const total = (of: (k: Work) => number): number => passes.reduce((sum, k) => sum + of(k), 0)
  expect(total((k) => k.flops)).toBeLessThanOrEqual(4 * 4 * tokens)
  expect(total((k) => k.bytes)).toBeLessThanOrEqual(4 * 3 * 4 * tokens)
  // The scattered gradient: its row, and where the row begins.
  for (const { name, bytes } of more)
    if (name.startsWith('scatter_add')) expect(bytes).toBeLessThanOrEqual(4 * width + 16)
})
