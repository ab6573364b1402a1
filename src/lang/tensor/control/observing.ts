/** Looking into a program while it runs: printing a tensor on the way, and a check that its numbers are finite. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node, ParamsOf } from '../../ir.ts'
import { noteSite } from '../../provenance.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandString } from '../arguments.ts'
import { dataFirst } from '../dual.ts'
import { onTensor } from '../operand.ts'

const observed = (n: Node, params: ParamsOf['observe']): Node => noteSite(build.observe([n], params))

type Debug = {
  (label: string): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, label: string): Tensor<S, D>
}

/**
 * `x` itself; whenever a program runs that uses what this gives, the label, dtype, shape and elements are printed to
 * stderr, as PyTorch prints them. Any dtype. Inside `scan`, `map` and `foriLoop` all turns are printed together, stacked;
 * in a branch of `cond` a device prints it whether or not the branch is taken, as all are computed; derivatives print the
 * value alone, once. A body of `whileLoop` cannot print (UsageError): make it a carry. The run waits for the device. Compare
 * jax.debug.print.
 * @example
 * const f = (x: T.Tensor) => T.sum(T.debug(T.exp(x), 'e'))
 * await T.evaluate(f(T.zeros([2]))) // => { shape: [], dtype: 'f32', data: [2] }
 */
export const debug: Debug = dataFirst('T.debug', 2, (x: Tensor, label: string) => {
  const text = demandString('T.debug', 'the label', label, "T.debug(x, 'hidden')")
  return onTensor('T.debug', x, (n) => observed(n, { kind: 'print', label: text }))
})

type CheckNumerics = {
  (label?: string): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, label?: string): Tensor<S, D>
}

/**
 * `x` itself; a run that uses what this gives rejects with NumericsError when an element is NaN or infinite: how many,
 * where the first one is, the label, and the line of the call. The gradient with respect to `x` is checked as well. Integers and
 * bool are finite. In a branch of `cond` only the branch that is taken counts. The run waits for the device; where it rejects,
 * what it was given stays as it was, donated or not, and what it computed is lost. `compile(f, specs, { checkNumerics: true })`
 * checks all results and gradients. Compare tf.debugging.check_numerics.
 * @example
 * T.reference(T.checkNumerics(T.tensor([1, 2.5]), 'x')).data // => [1, 2.5]
 * T.reference(T.log(T.checkNumerics(T.log(T.tensor([0, 1.5])), 'inner'))) // => throws NumericsError
 */
export const checkNumerics: CheckNumerics = dataFirst(
  'T.checkNumerics',
  [1, 2],
  (x: Tensor, label: string = 'the tensor') => {
    const text = demandString('T.checkNumerics', 'the label', label, "T.checkNumerics(x, 'hidden')")
    return onTensor('T.checkNumerics', x, (n, { dtype }) =>
      isFloat(dtype) ? observed(n, { kind: 'finite', label: text }) : n,
    )
  },
)
