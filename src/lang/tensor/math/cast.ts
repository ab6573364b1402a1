/** Changes of dtype. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { byteSize, type DType } from '../../dtype.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandDType } from '../arguments.ts'
import { dataFirst, single } from '../dual.ts'
import { castNode, onTensor, refuse } from '../operand.ts'

type Cast = {
  <const D extends DType>(dtype: D): <S extends Shape>(x: Tensor<S>) => Tensor<S, D>
  <S extends Shape, const D extends DType>(x: Tensor<S>, dtype: D): Tensor<S, D>
}

/**
 * Elements converted to `dtype`, same shape. Floats truncate towards zero into integers (saturating, NaN gives 0);
 * integers keep their low bits; f32 rounds into f16 and bf16 to nearest even; anything nonzero (NaN too) is true.
 * @example
 * T.reference(T.cast(T.tensor([1.7, -1.7]), 'i32')).data // => [1, -1]
 * T.reference(T.cast(T.tensor([300, -1]), 'u8')).data // => [44, 255]
 * T.reference(T.cast(T.tensor([1.001, 300.9]), 'bf16')).data // => [1, 300]
 */
export const cast: Cast = dataFirst('T.cast', 2, (x: Tensor, dtype: DType) => {
  const to = demandDType('T.cast', dtype)
  return onTensor('T.cast', x, (n) => castNode(n, to))
})

/**
 * The array API's name of `cast`.
 * @example
 * T.reference(T.astype(T.tensor([0, 2]), 'bool')).data // => [0, 1]
 */
export const astype: Cast = dataFirst('T.astype', 2, (x: Tensor, dtype: DType) => {
  const to = demandDType('T.astype', dtype)
  return onTensor('T.astype', x, (n) => castNode(n, to))
})

/**
 * The same bits read as another dtype of the same size (f32, i32 and u32; i8 and u8), same shape. ShapeError for bool,
 * f16 and bf16, and for dtypes of unlike sizes.
 * @example
 * T.reference(T.bitcast(T.tensor([1.5]), 'i32')).data // => [0x3fc00000]
 */
export const bitcast: Cast = dataFirst('T.bitcast', 2, (x: Tensor, dtype: DType) => {
  const to = demandDType('T.bitcast', dtype)
  return onTensor('T.bitcast', x, (n, type) => {
    if (type.dtype === to) return n
    if (type.dtype === 'bool' || to === 'bool' || byteSize(type.dtype) !== byteSize(to))
      return refuse('T.bitcast', [n], {
        reason: `${type.dtype} cannot be read as ${to}`,
        hint: 'both must be numbers of the same size; T.cast converts values instead',
      })
    return build.bitcast([n], { dtype: to })
  })
})

type StopGradient = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>

/**
 * `x` as it is, taken as a constant by derivatives (jax.lax.stop_gradient, torch's detach).
 * @example
 * const f = (x: T.Tensor<readonly [], 'f32'>) => T.mul(x, T.stopGradient(x))
 * T.reference(T.grad(f)(T.full([], 3))).data // => [3]
 */
export const stopGradient: StopGradient = single('T.stopGradient', (n) => build.stopGradient([n], {}))
