/** torch's activations in our functions. */
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { alongLine, at, type Call, number, numbers, type Op, text } from './call.ts'
import type { ActivationName, Ops } from './names.ts'

const one =
  (f: (x: Tensor) => Tensor): Op =>
  (c) =>
    f(at(c, 0))

const along = (c: Call, otherwise?: number): { readonly axis: number } => ({ axis: number(c, 'dim', otherwise) })
const lambda = (c: Call): { readonly lambda: number } => ({ lambda: number(c, 'lambd', 0.5) })

/** The activations of ops.py's nn section. */
export const activationOps: Ops<ActivationName> = {
  leaky_relu: (c) => nn.leakyRelu(at(c, 0), { negativeSlope: number(c, 'negative_slope', 0.01) }),
  elu: (c) => nn.elu(at(c, 0), { alpha: number(c, 'alpha', 1) }),
  celu: (c) => nn.celu(at(c, 0), { alpha: number(c, 'alpha', 1) }),
  selu: one(nn.selu),
  gelu: (c) => nn.gelu(at(c, 0), { approximate: text(c, 'approximate', 'none') as 'none' | 'tanh' }),
  silu: one(nn.silu),
  mish: one(nn.mish),
  softplus: (c) => nn.softplus(at(c, 0), { beta: number(c, 'beta', 1), threshold: number(c, 'threshold', 20) }),
  softsign: one(nn.softsign),
  logsigmoid: one(nn.logsigmoid),
  hardtanh: (c) => nn.hardtanh(at(c, 0), { min: number(c, 'min_val', -1), max: number(c, 'max_val', 1) }),
  hardsigmoid: one(nn.hardsigmoid),
  hardswish: one(nn.hardswish),
  relu6: one(nn.relu6),
  tanhshrink: one(nn.tanhshrink),
  softshrink: (c) => nn.softshrink(at(c, 0), lambda(c)),
  hardshrink: (c) => nn.hardshrink(at(c, 0), lambda(c)),
  threshold: (c) => nn.threshold(at(c, 0), number(c, 'threshold'), number(c, 'value')),
  prelu: (c) => nn.prelu(at(c, 0), at(c, 1)),
  glu: (c) => nn.glu(at(c, 0), along(c, -1)),
  softmax: (c) => alongLine(at(c, 0), (x) => nn.softmax(x, along(c))),
  log_softmax: (c) => alongLine(at(c, 0), (x) => nn.logSoftmax(x, along(c))),
  softmin: (c) => alongLine(at(c, 0), (x) => nn.softmin(x, along(c))),
  normalize: (c) =>
    nn.normalize(at(c, 0), { p: number(c, 'p', 2), axis: numbers(c, 'dim', 1), eps: number(c, 'eps', 1e-12) }),
}
