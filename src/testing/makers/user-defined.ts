/** Ops such as users define, for random graphs: a function of two numbers, and kernels with a jvp and with a vjp. */
import { typeOf } from '../../lang/build.ts'
import { sizeOf } from '../../lang/dim.ts'
import type { Node } from '../../lang/ir.ts'
import { add, mul } from '../../lang/tensor/math/arithmetic.ts'
import { customKernel, elementwise } from '../../lang/tensor/math/user-defined.ts'
import { sum } from '../../lang/tensor/reduce/reduction.ts'
import { roll } from '../../lang/tensor/shape/reordering.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../../lang/types/tensor.ts'
import type { Maker } from './pointwise.ts'

/** x / (1 + y²), by way of a function of its own. */
const damped: (x: Operand, y: Operand) => Tensor = elementwise({
  name: 'damped',
  wgsl: `
    const one = 1.0;
    fn widened(y: f32) -> f32 { return one + y * y; }
    fn damped(x: f32, y: f32) -> f32 { return x / widened(y); }`,
  reference: (x: number, y: number) => x / (1 + y * y),
  derivatives: ([, y], z) => {
    const share = damped(1, y!)
    return [share, mul(mul(z, share), mul(y!, -2))]
  },
})

/** The square of each element, and the sum of all. */
const energy = customKernel({
  name: 'energy',
  inputs: ['x'],
  outputs: ['each', 'total'],
  infer: ([x]) => [x!, { shape: [], dtype: x!.dtype }],
  workgroupSize: 32,
  wgsl: `
    var<workgroup> part: array<f32, 32>;
    fn energy(workgroup: u32, local: u32) {
      var sum = 0.0;
      for (var i = local; i < x_size; i += 32u) {
        let y = x[i] * x[i];
        each[i] = y;
        sum += y;
      }
      part[local] = sum;
      workgroupBarrier();
      if local == 0u {
        var all = 0.0;
        for (var k = 0u; k < 32u; k++) { all += part[k]; }
        total[0] = all;
      }
    }`,
  workgroups: () => 1,
  reference: ([x]) => {
    const each = x!.data.map((v) => v * v)
    return [each, [each.reduce((a, b) => a + b, 0)]]
  },
  jvp: ([x], _ys, [dx]) => {
    const change = mul(mul(x!, 2), dx!)
    return [change, sum(change)]
  },
})

/** Each element times its right neighbour, the last times the first. */
const neighbours = customKernel({
  name: 'neighbours',
  inputs: ['x'],
  outputs: ['y'],
  infer: ([x]) => (x!.shape.length === 1 ? [x!] : 'x must be a vector'),
  wgsl: `
    fn neighbours(workgroup: u32, local: u32) {
      let i = workgroup * 64u + local;
      if i < x_shape[0] { y[i] = x[i] * x[(i + 1u) % x_shape[0]]; }
    }`,
  workgroups: ([x]) => Math.ceil(sizeOf(x!.shape) / 64),
  reference: ([x]) => [x!.data.map((v, i) => v * x!.data[(i + 1) % x!.data.length]!)],
  vjp: ([x], _ys, [ct]) => [add(mul(ct!, roll(x!, -1)), roll(mul(ct!, x!), 1))],
})

const elementwiseMaker: Maker = (w) => {
  const x = w.take((t) => t.dtype === 'f32')
  return x && w.add(nodeOf(damped(tensorOf(x), tensorOf(w.like(typeOf(x))))))
}

const kernel: Maker = (w) => {
  const x = w.take((t) => t.dtype === 'f32')
  if (!x) return undefined
  const flat: Tensor = tensorOf(w.b.reshape([x], { shape: [sizeOf(typeOf(x).shape)] }))
  if (w.dice.chance(0.4)) return w.add(nodeOf(neighbours(flat)))
  const [each, total] = energy(tensorOf(x)).map((t): Node => w.add(nodeOf(t)))
  if (w.dice.chance(0.5)) w.offer(total!)
  return each
}

export const userMakers: { readonly elementwise: Maker; readonly kernel: Maker } = {
  elementwise: elementwiseMaker,
  kernel,
}
