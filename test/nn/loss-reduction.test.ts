/** What a loss of two tensors says of shapes that would be compared all with all. */
import { expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import * as nn from '../../src/nn/index.ts'
import { evaluated, mistakeOf } from '../lang/tensor/run.ts'

test.each([nn.mseLoss, nn.l1Loss, nn.huberLoss])('a column against a line is a mistake', (loss) => {
  const [column, line] = [T.ones([4, 1]), T.ones([4])]
  expect(mistakeOf(loss(column as never, line as never))).toMatchObject({
    tag: 'ShapeError',
    reason: 'predictions of shape [4, 1] and targets of shape [4] would be compared all with all, [4, 4]',
    hint: 'reshape one to the shape of the other',
  })
  expect(evaluated(loss(T.ones([4, 3]), T.ones([3]) as never)).shape).toEqual([])
  expect(evaluated(loss(T.ones([4, 3]), T.ones([]) as never)).shape).toEqual([])
  expect(evaluated(loss(T.ones([4, 1]) as never, T.ones([1, 3]) as never)).shape).toEqual([])
})
