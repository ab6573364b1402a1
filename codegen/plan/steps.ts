/** Walks over the steps of a plan, which may be loops of steps. */
import type { Step } from './plan.ts'

/** A step that is no loop. */
export type PlainStep = Extract<Step, { readonly kind: 'dispatch' | 'copy' }>

/** Every step that is no loop, once, in order. */
export const everyStep = (steps: readonly Step[]): readonly PlainStep[] =>
  steps.flatMap((s) => (s.kind === 'repeat' || s.kind === 'while' ? everyStep(s.steps) : [s]))

/** The steps in the order they run, a loop's as often as it says but `most` times at most; a while runs `most` times. */
export const unrolled = (steps: readonly Step[], most: number = Number.POSITIVE_INFINITY): readonly PlainStep[] =>
  steps.flatMap((s) => {
    if (s.kind !== 'repeat' && s.kind !== 'while') return [s]
    const body = unrolled(s.steps, most)
    const times = s.kind === 'repeat' ? Math.min(s.times, most) : Number.isFinite(most) ? most : 1
    return Array.from({ length: times }, () => body).flat()
  })
