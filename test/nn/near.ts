/** Elements of a tensor against numbers worked out by hand. */
import { expect } from 'vitest'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { flat } from '../lang/tensor/run.ts'

/** The elements in row-major order are those numbers up to the last digits of float32. */
export const near = (got: Tensor, want: readonly number[]): void => {
  const values = flat(got)
  expect(values).toHaveLength(want.length)
  values.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 5)
  })
}
