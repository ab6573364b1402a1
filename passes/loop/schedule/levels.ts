/**
 * How the loops of a reduction keep states, so that its order of summation depends on positions alone: a run of neighbours
 * goes into one state, four such states into the next, four of those into the next. See `Order` in `monoids.ts`.
 */
import { contractionRuns, treeRun } from '../../../src/lang/monoids.ts'
import type { ReduceValue } from './nest.ts'

/** The loop over one range of a reduction. */
export interface Level {
  /** Whether it begins states of its own, rather than going on with those of the loop around it. */
  readonly isOwn: boolean
  /** Points that go into one state. */
  readonly run: number
}

/** The loops over the ranges of a reduction, the last of which runs fastest. */
export const levelsOf = ({ order, over, runs }: Pick<ReduceValue, 'order' | 'over' | 'runs'>): readonly Level[] => {
  switch (order) {
    case 'any':
      return over.map(({ size }) => ({ isOwn: false, run: size }))
    case 'tree':
      return over.map(({ size }, i) => ({ isOwn: size > 1, run: runs?.[i] ?? treeRun }))
    case 'blocks': {
      const most = contractionRuns(over.map((r) => r.size))
      return over.map(({ size }, i) => ({ isOwn: size > most[i]!, run: most[i]! }))
    }
  }
}
