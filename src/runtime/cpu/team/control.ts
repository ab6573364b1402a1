/**
 * The words that the threads of a device share. Work is a list of steps that all go through together; a step is a stretch of
 * one dispatch's workgroups in chunks. One word, the ticket, says which step it is and how many of its chunks are taken.
 * Whoever finishes the last chunk of a step turns the ticket to the next, so that nobody waits for a thread that has nothing
 * in hand; behind the last step is one without chunks, where threads rest.
 */

import { chunkBits, mostAddresses, mostSteps } from './limits.ts'

/** Words of a cache line: what different threads write at the same time lies in different lines. */
const line = 16

/** Characters of the message of what a thread threw. */
export const mostText = 1024

type Word =
  | 'ticket'
  | 'callerSleeps'
  | 'sleepers'
  | 'mail'
  | 'ready'
  | 'failed'
  | 'textLength'
  | 'steps'
  | 'addresses'
  | 'text'
  | 'end'

const stepsAt: number = 6 * line
const addressesAt: number = stepsAt + mostSteps * line
const textAt: number = addressesAt + mostAddresses

/** Where each word lies. */
export const at: Readonly<Record<Word, number>> = {
  ticket: 0,
  /** 1 where the caller sleeps until the ticket turns. */
  callerSleeps: line,
  /** How many workers sleep until it does. */
  sleepers: 2 * line,
  /** How many messages were posted to each worker: who has read fewer reads them before it goes on. */
  mail: 3 * line,
  /** How many workers stand ready. */
  ready: 4 * line,
  /** Not 0 where chunks are left undone because one has failed: 1 until the message is there. */
  failed: 5 * line,
  textLength: 5 * line + 1,
  steps: stepsAt,
  addresses: addressesAt,
  text: textAt,
  end: textAt + mostText,
}

/** The words of a step, and what it takes. */
export const step = {
  chunks: 0,
  /** Workgroups of a chunk, the first, and the one behind the last. */
  size: 1,
  from: 2,
  to: 3,
  module: 4,
  kernel: 5,
  /** Scratch memory of the first thread, and what each has. */
  scratch: 6,
  stride: 7,
  words: 8,
  /** How many addresses, and where in the list of all the first is. */
  bindings: 9,
  addresses: 10,
  /** 1 where it is worth waking who sleeps. */
  wakes: 11,
  /** Chunks that are done, and what all took together, in ticks. */
  done: 12,
  ticks: 13,
  length: 16,
} as const

/** Ticks of time in a millisecond. */
export const ticksPerMs = 1e4

/** The numbers of steps begin anew behind this one. */
export const stepMask: number = 2 ** (32 - chunkBits) - 1

/** Milliseconds that a thread spins before it sleeps. */
export const spinTime = 0.05

/** Loads between two looks at the clock, which are dear. */
export const spinLoads = 64

/** Where the words of a step are. */
export const stepAt = (number: number): number => at.steps + (number % mostSteps) * step.length
