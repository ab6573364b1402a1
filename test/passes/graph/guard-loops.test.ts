/** A loop without a known end in a branch that is not taken has no turn, however deep it lies; in one that is, all of them. */
import { expect, test } from 'vitest'
import { guardLoops, holdsWhile } from '../../../passes/graph/guard-loops.ts'
import * as T from '../../../src/index.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { closeGraph, traceTree } from '../../../src/lang/trace.ts'

type X = T.Tensor

/** Doubles until it is not positive: for ever, where it starts above 0. */
const doubling = (x: X): X =>
  T.whileLoop(
    (c: X) => T.greater(c, 0) as never,
    (c: X) => T.mul(c, 2) as X,
    x,
  )
const halving = (x: X): X =>
  T.whileLoop(
    (c: X) => T.less(c, -1) as never,
    (c: X) => T.div(c, 2) as X,
    x,
  )

const onDevice = async (f: (x: X) => X, ...xs: readonly number[]): Promise<readonly number[]> => {
  const program = T.jit(f)
  const out: number[] = []
  for (const x of xs) out.push(((await program(T.tensor(x, { dtype: 'f32' }) as never)) as T.HostTensor).data[0]!)
  return out
}

test('in a branch', async () => {
  const f = (x: X): X => T.cond(T.greater(x, 0) as never, (v: X) => T.mul(v, 3) as X, doubling, x)
  expect(await onDevice(f, 4, -4)).toEqual([12, -4])
})

test('in a branch of a branch, in a loop of a branch', async () => {
  const inner = (c: X): X => T.cond(T.less(c, -100) as never, halving, (y: X) => T.mul(y, 3) as X, c)
  const f = (x: X): X =>
    T.cond(
      T.greater(x, 0) as never,
      (v: X) => T.mul(v, 3) as X,
      (v: X) => T.foriLoop(0, 2, (_i, c: X) => inner(c), v),
      x,
    )
  expect(await onDevice(f, 4, -4, -64)).toEqual([12, -36, -0.75])
})

test('the guard is one more input', () => {
  const { graph } = closeGraph(traceTree(halving as never, [T.spec([])]).graph)
  expect(holdsWhile(graph)).toBe(true)
  const value = (x: number) => ({ shape: [], dtype: 'f32' as const, data: Float64Array.of(x) })
  const flag = (x: number) => ({ shape: [], dtype: 'bool' as const, data: Uint8Array.of(x) })
  const run = (x: number, taken: number): number => evaluate(guardLoops(graph), [value(x), flag(taken)])[0]!.data[0]!
  expect([run(-8, 1), run(-8, 0)]).toEqual([-1, -8])
  expect(holdsWhile(closeGraph(traceTree(T.exp as never, [T.spec([])]).graph).graph)).toBe(false)
})
