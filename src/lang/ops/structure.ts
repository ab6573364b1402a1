/** Rows without arithmetic: get (one output of several), stopGradient, observe and barrier. */
import * as E from '#fp/Either'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { plural, refuse, wrongCount } from './operand-checks.ts'
import { stack } from './rule-parts.ts'

/**
 * Output `index` of its argument. The one row that sees *all outputs* of its argument as its operands: their types in
 * `infer`, their values in `eval`, their tangents in `jvp`, their batched nodes in `batch`.
 */
export const get: Primitive<ParamsOf['get']> = {
  infer: (xs, { index }) => {
    const type = xs[index]
    return type
      ? E.right([type])
      : refuse(`there is no output ${index}: the operand has ${plural(xs.length, 'output')}`)
  },
  jvp: ({ tangents, params }) => [tangents[params.index]],
  transpose: 'nonlinear',
  batch: ({ b, args, params }) => [args.length > 1 ? args[params.index]! : b.get(args, params)],
  eval: (xs, { index }) => [xs[index]!.data],
}

/** The operand itself, with a zero tangent: what lies below counts as constant. Any dtype. */
export const stopGradient: Primitive<ParamsOf['stopGradient']> = {
  infer: (xs) => wrongCount(xs, 1) ?? E.right([xs[0]!]),
  jvp: () => [undefined],
  transpose: 'nonlinear',
  batch: ({ b, args }) => [b.stopGradient([args[0]!], {})],
  eval: ([x]) => [x!.data],
}

/**
 * The operand itself; what is to be told of it is told by whoever runs the graph. A check for finite numbers looks at
 * tangents and cotangents too, as in TensorFlow's check_numerics; printing shows the value alone.
 */
export const observe: Primitive<ParamsOf['observe']> = {
  infer: (xs) => wrongCount(xs, 1) ?? E.right([xs[0]!]),
  jvp: ({ b, tangents: [dx], params: { kind, label } }) => [
    dx && kind === 'finite' ? b.observe([dx], { kind, label: `gradient of ${label}` }) : dx,
  ],
  transpose: ({ b, ct, params }) => [b.observe([ct], params)],
  batch: ({ b, args, params }) => [b.observe([args[0]!], params)],
  eval: ([x]) => [x!.data],
}

/**
 * The first operand. Any dtypes and shapes; the other operands only say when: nothing above a barrier is computed before
 * they are. A recomputation on barriers of its inputs stays apart from the first computation, however equal they are.
 */
export const barrier: Primitive<ParamsOf['barrier']> = {
  infer: (xs) => (xs[0] ? E.right([xs[0]]) : refuse('needs an operand')),
  jvp: ({ tangents }) => [tangents[0]],
  transpose: ({ ct, args }) => args.map((_, i) => (i === 0 ? ct : undefined)),
  batch: ({ b, args, batched, size }) => [
    b.barrier([batched[0] ? args[0]! : stack(b, args[0]!, size), ...args.slice(1)], {}),
  ],
  eval: ([x]) => [x!.data],
}
