/** torch's elementwise ops in our functions. Broadcasting and promotion are ours to do right. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Operand, Tensor } from '../../src/lang/types/tensor.ts'
import { at, type Call, flag, maybeNumber, number, type Op, optional, promoted, text } from './call.ts'
import type { ElementwiseName, Ops } from './names.ts'
import { dtypeOf } from './schema.ts'

const one =
  (f: (x: Tensor) => Tensor): Op =>
  (c) =>
    f(at(c, 0))

const two =
  (f: (a: Tensor, b: Tensor) => Operand): Op =>
  (c) =>
    f(at(c, 0), at(c, 1)) as Tensor

const rounding = (c: Call): Tensor => {
  const [a, b] = [at(c, 0), at(c, 1)]
  switch (text(c, 'rounding_mode')) {
    case 'floor':
      return T.floorDivide(a, b) as Tensor
    case 'trunc':
      return T.truncDivide(a, b) as Tensor
    default:
      throw new Error('goldens: unknown rounding_mode')
  }
}

/** The elementwise section of ops.py, name by name; `undefined` is an op we do not have. */
export const elementwiseOps: Ops<ElementwiseName> = {
  abs: one(T.abs),
  neg: one(T.neg),
  sign: one(T.sign),
  ceil: one(T.ceil),
  floor: one(T.floor),
  trunc: one(T.trunc),
  round: one(T.round),
  frac: one(T.frac),
  exp: one(T.exp),
  exp2: one(T.exp2),
  expm1: one(T.expm1),
  log: one(T.log),
  log2: one(T.log2),
  log10: one(T.log10),
  log1p: one(T.log1p),
  sqrt: one(T.sqrt),
  rsqrt: one(T.rsqrt),
  square: one(T.square),
  reciprocal: one(T.reciprocal),
  sin: one(T.sin),
  cos: one(T.cos),
  tan: one(T.tan),
  asin: one(T.asin),
  acos: one(T.acos),
  atan: one(T.atan),
  sinh: one(T.sinh),
  cosh: one(T.cosh),
  tanh: one(T.tanh),
  asinh: one(T.asinh),
  acosh: one(T.acosh),
  atanh: one(T.atanh),
  erf: one(T.erf),
  erfc: one(T.erfc),
  erfinv: one(T.erfinv),
  lgamma: one(T.lgamma),
  digamma: one(T.digamma),
  sigmoid: one(T.sigmoid),
  relu: one(T.relu),
  isnan: one(T.isnan),
  isinf: one(T.isinf),
  isfinite: one(T.isfinite),
  signbit: one(T.signbit),
  logical_not: one(T.logicalNot),
  bitwise_not: one(T.bitwiseNot),
  deg2rad: one(T.deg2rad),
  rad2deg: one(T.rad2deg),
  sinc: one(T.sinc),
  logit: (c) => T.logit(at(c, 0), optional('eps', maybeNumber(c, 'eps'))),
  add: two(T.add),
  sub: two(T.sub),
  mul: two(T.mul),
  div: two(T.div),
  maximum: two(T.maximum),
  minimum: two(T.minimum),
  fmax: two(T.fmax),
  fmin: two(T.fmin),
  pow: two(T.pow),
  atan2: two(T.atan2),
  fmod: two(T.fmod),
  remainder: two(T.remainder),
  hypot: two(T.hypot),
  copysign: two(T.copysign),
  logaddexp: two(T.logaddexp),
  logaddexp2: two(T.logaddexp2),
  eq: two(T.equal),
  ne: two(T.notEqual),
  lt: two(T.less),
  le: two(T.lessEqual),
  gt: two(T.greater),
  ge: two(T.greaterEqual),
  logical_and: two(T.logicalAnd),
  logical_or: two(T.logicalOr),
  logical_xor: two(T.logicalXor),
  bitwise_and: two(T.bitwiseAnd),
  bitwise_or: two(T.bitwiseOr),
  bitwise_xor: two(T.bitwiseXor),
  bitwise_left_shift: two(T.bitwiseLeftShift),
  bitwise_right_shift: two(T.bitwiseRightShift),
  floor_divide: two(T.floorDivide),
  xlogy: two(T.xlogy),
  where: (c) => {
    const [a, b] = promoted([at(c, 1), at(c, 2)])
    return T.where(at(c, 0) as Tensor<readonly number[], 'bool'>, a!, b!) as Tensor
  },
  gcd: two(T.gcd),
  lcm: two(T.lcm),
  nextafter: two(T.nextafter),
  addcmul: (c) => T.addcmul(at(c, 0), at(c, 1), at(c, 2), { value: number(c, 'value', 1) }),
  addcdiv: (c) => T.addcdiv(at(c, 0), at(c, 1), at(c, 2), { value: number(c, 'value', 1) }),
  div_rounding: rounding,
  pow_scalar: (c) => T.pow(at(c, 0), number(c, 'exponent')) as Tensor,
  rpow_scalar: (c) => T.pow(number(c, 'base'), at(c, 0)) as Tensor,
  clamp: (c) =>
    T.clamp(at(c, 0), { ...optional('min', maybeNumber(c, 'min')), ...optional('max', maybeNumber(c, 'max')) }),
  clamp_tensor: (c) => T.clamp(at(c, 0), { min: at(c, 1), max: at(c, 2) }),
  lerp: (c) => T.lerp(at(c, 0), at(c, 1), at(c, 2)),
  masked_fill: (c) => {
    const [x, mask, value] = [at(c, 0), at(c, 1) as Tensor<readonly number[], 'bool'>, number(c, 'value')]
    return x.dtype === 'bool' ? T.where(mask, value !== 0, x) : T.maskedFill(x, mask, value)
  },
  nan_to_num: (c) =>
    T.nanToNum(at(c, 0), {
      nan: number(c, 'nan', 0),
      ...optional('posinf', maybeNumber(c, 'posinf')),
      ...optional('neginf', maybeNumber(c, 'neginf')),
    }),
  to: (c) => T.cast(at(c, 0), dtypeOf(text(c, 'dtype'))),
  isclose: (c) =>
    T.isclose(at(c, 0), at(c, 1), {
      rtol: number(c, 'rtol', 1e-5),
      atol: number(c, 'atol', 1e-8),
      equalNan: flag(c, 'equal_nan', false),
    }),
}
