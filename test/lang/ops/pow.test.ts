/** Second derivatives of pow where its exponent is 0: the mixed one is 1/x, the base's own is 0. */
import { expect, it } from 'vitest'
import * as T from '../../../src/index.ts'

type X = T.Tensor
const number = (x: X): number => (T.reference(x) as T.HostTensor).data[0]!

it('has the mixed second derivative 1/x at exponent 0', () => {
  const inBase = (y: X): X => T.grad((x: X) => T.pow(x, y) as X)(T.tensor(2.5) as X) as X
  const [x, y] = [T.tensor(2.5) as X, T.zeros([]) as X]
  expect(number(T.grad(inBase)(y) as X)).toBeCloseTo(0.4, 6)
  expect(number(T.grad((b: X) => T.grad((c: X) => T.pow(c, y) as X)(b) as X)(x) as X)).toBeCloseTo(0, 12)
})
