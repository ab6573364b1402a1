/** Running extremes of booleans. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import { flat } from '../run.ts'

test('running extremes of bool are bool', () => {
  const [most, at] = T.cummax(T.tensor([false, true, false]))
  expect([most.dtype, flat(most), flat(at)]).toEqual(['bool', [0, 1, 1], [0, 1, 1]])
  const [least] = T.cummin(T.tensor([true, false, true]))
  expect([least.dtype, flat(least)]).toEqual(['bool', [1, 0, 0]])
})
