/** Measures of a state on data that it is not trained on. */
import { demandSource, prefetch, type Source } from '../data/prefetch.ts'
import { raise, TensorloomError } from '../lang/errors.ts'
import { isRecord } from '../lang/tree.ts'
import { type Measures, measuresOf, runnerOf, type Step } from './step.ts'

/** What `evaluate` calls: a compiled program or a function of state and batch, whose results that are scalars are measures. */
export type Evaluation<S, B> = Step<S, B, object>

/** The rows of a batch: those of the first thing in it that has any. */
const rowsOf = (batch: unknown): number => {
  if (Array.isArray(batch)) return batch.length
  if (!isRecord(batch)) return 1
  const { shape } = batch
  if (Array.isArray(shape)) return typeof shape[0] === 'number' ? shape[0] : 1
  const [first] = Object.values(batch)
  return first === undefined ? 1 : rowsOf(first)
}

/** A refusal of the state by a program, which says that the whole of it was handed on. */
const wholeState = (e: unknown): never => {
  if (e instanceof TensorloomError && e.error.tag === 'ArgumentError' && e.error.path.startsWith('[0]'))
    raise({
      ...e.error,
      hint: 'evaluate gives the program the whole state: where it takes a part of it, give that part, as evaluate(program, state.params, data)',
    })
  throw e
}

/**
 * The means of what `program(state, batch)` measures over the batches of `data`, each weighted by its rows, so that a smaller last
 * batch counts for as much as it holds. The state is what the program takes, no less and no more: a program of parameters is given
 * `state.params`, not all of a training's state. UsageError for data without batches, ArgumentError for a state that is not the
 * program's; rejects as the program and the data do.
 * @example
 * const points = { x: { shape: [3], data: Float32Array.of(1, 2, 6) } }
 * type Points = { readonly x: data.Column<Float32Array> }
 * const mean = (add: number, { x }: Points) => ({ mean: add + x.data.reduce((a, b) => a + b, 0) / x.data.length })
 * await train.evaluate(mean, 1, data.batches(points, { size: 2, rest: 'keep' })) // => { mean: 4 }
 */
export const evaluate = async <S, B>(
  program: Evaluation<S, B>,
  state: NoInfer<S>,
  data: Source<NoInfer<B>>,
): Promise<Measures> => {
  demandSource('evaluate', data, true)
  const run = runnerOf(program)
  const sums: Record<string, number> = {}
  let rows = 0
  for await (const batch of prefetch(data)) {
    const weight = rowsOf(batch)
    for (const [name, x] of Object.entries(await measuresOf(await run(state, batch).catch(wholeState))))
      sums[name] = (sums[name] ?? 0) + weight * x
    rows += weight
  }
  if (rows === 0) raise({ tag: 'UsageError', message: 'evaluate: the data gave no batch' })
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / rows]))
}
