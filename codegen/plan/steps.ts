/** Traversal of the steps of a plan, which may be loops of steps. */
import type { Kernel } from '../kernel/kernel.ts'
import { withWords } from '../kernel/words.ts'
import type { Plan, Step } from './plan.ts'
import type { Dispatch } from './plan-fault.ts'

/** A step other than a loop. */
export type PlainStep = Extract<Step, { readonly kind: 'dispatch' | 'copy' }>

/** What a dispatch runs: its kernel, with the words that it gives. */
export const kernelOf = (plan: Plan, { kernel, words }: Dispatch): Kernel => {
  const { kernel: shared } = plan.kernels[kernel]!
  return words ? withWords(shared, words) : shared
}

/** All steps other than loops, each once, in order. */
export const everyStep = (steps: readonly Step[]): readonly PlainStep[] =>
  steps.flatMap((s) => (s.kind === 'repeat' || s.kind === 'while' ? everyStep(s.steps) : [s]))

/** The steps in execution order, with loops unrolled up to `most` iterations; a `while` runs `most` times. */
export const unrolled = (steps: readonly Step[], most: number = Number.POSITIVE_INFINITY): readonly PlainStep[] =>
  steps.flatMap((s) => {
    if (s.kind !== 'repeat' && s.kind !== 'while') return [s]
    const body = unrolled(s.steps, most)
    const times = s.kind === 'repeat' ? Math.min(s.times, most) : Number.isFinite(most) ? most : 1
    return Array.from({ length: times }, () => body).flat()
  })
