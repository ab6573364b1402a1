/** Functions that keep compilers from evaluating constants: a call is never a constant expression. */
import * as k from '../../kernel/build-kernel.ts'
import { nameAt } from '../../kernel/functions/table.ts'
import type { KExpr, KFunction, KType, Scalar } from '../../kernel/kernel.ts'

const make = (name: string, param: string, type: KType, value: (x: KExpr) => KExpr): KFunction => ({
  name: nameAt(name, type.width),
  params: [{ name: param, type }],
  body: [],
  results: [value(k.ref(param, type))],
})

/** The value itself. */
export const opaqueValue = (scalar: Scalar, width: KType['width']): KFunction =>
  make(scalar, 'x', k.kType(scalar, width), (x) => x)

/** A float from the bits of an f32, which no constant expression may hold where it is infinite or NaN. */
export const opaqueFloat: { readonly [S in 'f32' | 'f16']: KFunction } = {
  f32: make('bits', 'u', k.kType('u32'), (u) => k.bitcast(u, 'f32')),
  f16: make('halfBits', 'u', k.kType('u32'), (u) => k.cast(k.bitcast(u, 'f32'), 'f16')),
}
