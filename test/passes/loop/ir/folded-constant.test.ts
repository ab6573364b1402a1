/** Arithmetic of constants in the Loop IR, and reductions of nothing on the device, which come to just that. */
import { describe, expect, it } from 'vitest'
import { foldedConstant } from '../../../../passes/loop/ir/folded-constant.ts'
import { createValues } from '../../../../passes/loop/ir/values.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { traceTree } from '../../../../src/lang/trace.ts'
import { runDevice, runLoop } from '../../../differential.ts'

const zeroIndex = () => ({ terms: [], constant: 0, min: 0, max: 0, key: '0' })

describe('foldedConstant', () => {
  const v = createValues()
  const f = (x: number) => v.constant('f32', x)
  const i = (x: number) => v.constant('i32', x)
  it.each([
    ['NaN / 0', foldedConstant('div', 'f32', [f(Number.NaN), f(0)]), Number.NaN],
    ['0 / 0', foldedConstant('div', 'f32', [f(0), f(0)]), Number.NaN],
    ['-1 / 0', foldedConstant('div', 'f32', [f(-1), f(0)]), Number.NEGATIVE_INFINITY],
    ['past the range of f32', foldedConstant('mul', 'f32', [f(3e38), f(10)]), Number.POSITIVE_INFINITY],
    ['rounded to f32', foldedConstant('add', 'f32', [f(1), f(1e-9)]), 1],
    ['integers wrap', foldedConstant('add', 'i32', [i(2147483647), i(1)]), -2147483648],
    ['to bool', foldedConstant('lt', 'bool', [f(1), f(2)]), 1],
    ['a cast', foldedConstant('cast', 'i32', [f(-1.5)]), -1],
    [
      'not a constant',
      foldedConstant('neg', 'f32', [v.load({ id: 0, dtype: 'f32', size: 1 }, zeroIndex(), [])]),
      undefined,
    ],
  ])('%s', (_name, got, want) => {
    expect(got).toBe(want)
  })
})

it('statistics of nothing are those of the interpreter', async () => {
  const { graph } = traceTree(
    ((x: never) => [
      T.variance(x, { correction: 1 }),
      T.std(x, { correction: 1 }),
      T.mean(x),
      T.sum(x),
      T.prod(x),
      T.variance(x, { correction: 0 }),
    ]) as never,
    [{ shape: [0], dtype: 'f32' }],
  )
  const x = { shape: [0], dtype: 'f32' as const, data: new Float64Array(0) }
  const want = [Number.NaN, Number.NaN, Number.NaN, 0, 1, Number.NaN]
  expect(runLoop(graph, [x]).map((r) => r.data[0])).toEqual(want)
  expect((await runDevice(graph, [x])).map((r) => r.data[0])).toEqual(want)
})
