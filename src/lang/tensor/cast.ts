/** Changes of dtype. */
import { build } from '../build.ts'
import type { Shape } from '../dim.ts'
import { byteSize, type DType } from '../dtype.ts'
import type { Tensor } from '../types.ts'
import { dataFirst, single } from './dual.ts'
import { castNode, onTensor, refuse } from './operand.ts'

interface Cast {
  <const D extends DType>(dtype: D): <S extends Shape>(x: Tensor<S>) => Tensor<S, D>
  <S extends Shape, const D extends DType>(x: Tensor<S>, dtype: D): Tensor<S, D>
}

/** Elements converted to `dtype`: floats truncate towards zero into integers, anything nonzero (NaN too) is true. */
export const cast: Cast = dataFirst('T.cast', (x: Tensor, dtype: DType) =>
  onTensor('T.cast', x, (n) => castNode(n, dtype)),
)

/** The array API's name of `cast`. */
export const astype: Cast = dataFirst('T.astype', (x: Tensor, dtype: DType) =>
  onTensor('T.astype', x, (n) => castNode(n, dtype)),
)

/** The same bits read as another dtype of the same size. bool is refused. */
export const bitcast: Cast = dataFirst('T.bitcast', (x: Tensor, dtype: DType) =>
  onTensor('T.bitcast', x, (n, type) => {
    if (type.dtype === dtype) return n
    if (type.dtype === 'bool' || dtype === 'bool' || byteSize(type.dtype) !== byteSize(dtype))
      return refuse('T.bitcast', [n], {
        reason: `${type.dtype} cannot be read as ${dtype}`,
        hint: 'both must be numbers of the same size; T.cast converts values instead',
      })
    return build.bitcast([n], { dtype })
  }),
)

type StopGradient = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>

/** `x`, taken as a constant by derivatives. */
export const stopGradient: StopGradient = single('T.stopGradient', (n) => build.stopGradient([n], {}))
