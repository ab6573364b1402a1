/** How far a loop goes in a run where its size is named. */

import type { AffineSize } from '../../../src/lang/size.ts'
import type { LoopValue, Range } from '../ir/cluster.ts'

/** A loop of at most `most` steps ends after ⌈size / by⌉: a kernel reads how many that are as a word. */
export interface LoopLimit {
  readonly size: AffineSize
  readonly by: number
  readonly most: number
}

/** Where the loops of a cluster end. */
export interface Limits {
  readonly loops: ReadonlyMap<Range, LoopLimit>
  /** Masks that hold at every point of the loops, as these end where they do. */
  readonly implied: ReadonlySet<LoopValue>
}
