/** Ops of a user's own on the reference interpreter: shapes, derivatives to the second order, batches, refusals. */
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as T from '../../../../src/index.ts'
import { checkGrad } from '../../../../src/testing/check-grad.ts'
import { checkVmap } from '../../../../src/testing/check-vmap.ts'
import { sharedDevice, sharedProcessor } from '../../../device.ts'

type X = T.Tensor

const power = T.elementwise({
  name: 'user_power',
  wgsl: 'fn user_power(x: f32, n: i32) -> f32 { return pow(x, f32(n)); }',
  reference: (x: number, n: number) => x ** n,
  derivatives: ([x, n]) => [T.mul(T.cast(n!, 'f32'), T.pow(x!, T.cast(T.sub(n!, 1), 'f32'))), undefined],
})

const grown: (x: X) => X = T.elementwise({
  name: 'user_grown',
  wgsl: 'fn user_grown(x: f32) -> f32 { return exp(x); }',
  reference: Math.exp,
  derivatives: (_, y) => [y],
})

const plain = T.elementwise({
  name: 'user_plain',
  wgsl: 'fn user_plain(x: f32) -> f32 { return x; }',
  reference: (x: number) => x,
})

/** Row sums and row products of two matrices, pulled back alone. */
const rows = T.customKernel({
  name: 'user_rows',
  inputs: ['a', 'b'],
  outputs: ['sums', 'products'],
  infer: ([a, b]) => {
    if (a!.shape.length !== 2 || `${a!.shape}` !== `${b!.shape}`) return 'a and b must be matrices of one shape'
    const row = { shape: [a!.shape[0]!], dtype: a!.dtype }
    return [row, row]
  },
  wgsl: `fn user_rows(workgroup: u32, local: u32) {
    var s = 0.0;
    var p = 0.0;
    for (var j = 0u; j < a_shape[1]; j++) {
      let i = workgroup * a_shape[1] + j;
      s += a[i] + b[i];
      p += a[i] * b[i];
    }
    sums[workgroup] = s;
    products[workgroup] = p;
  }`,
  workgroups: ([a]) => a!.shape[0]!,
  workgroupSize: 1,
  reference: ([a, b]) => {
    const [n, m] = a!.shape as [number, number]
    const row = (f: (x: number, y: number) => number): number[] =>
      Array.from({ length: n }, (_, i) =>
        Array.from({ length: m }, (_, j) => f(a!.data[i * m + j]!, b!.data[i * m + j]!)).reduce((x, y) => x + y, 0),
      )
    return [row((x, y) => x + y), row((x, y) => x * y)]
  },
  vjp: ([a, b], _, [s, p]) => {
    const [ds, dp] = [T.expandDims(s!, 1), T.expandDims(p!, 1)]
    return [T.add(ds, T.mul(dp, b!)), T.add(ds, T.mul(dp, a!))]
  },
})

const x = T.tensor([0.5, 1.25, 2])
const a = T.tensor([[1, 2, 3], [-1, 0.5, 4]]) // biome-ignore format: a matrix
const b = T.tensor([[0.5, 1, -1], [2, 3, 0.25]]) // biome-ignore format: a matrix

const message = (run: () => unknown): string => {
  try {
    run()
  } catch (e) {
    if (e instanceof T.TensorloomError) return `${e.name}: ${e.message.split('\n')[0]}`
  }
  return 'nothing'
}

describe('elementwise', () => {
  it('broadcasts, and numbers adopt the dtypes of the parameters', () => {
    expect(
      T.reference(power(T.tensor([[1], [2]], { dtype: 'f32' }), T.tensor([1, 3], { dtype: 'i32' }))),
    ).toMatchObject({
      shape: [2, 2],
      data: Float32Array.of(1, 1, 2, 8),
    })
    expect(T.reference(power(x, 2)).data).toEqual(Float32Array.of(0.25, 1.5625, 4))
    expect(T.reference(power(T.zeros([0, 3]), 2)).shape).toEqual([0, 3])
    expectTypeOf(power).parameters.toExtend<readonly [X | number | boolean, X | number | boolean]>()
  })
  it('has the derivatives it was given, to the second order, forward and in reverse', () => {
    checkGrad((y: X) => T.sum(power(y, 3)), [x])
    checkGrad((y: X) => T.sum(T.grad((z: X) => T.sum(grown(T.sin(z))))(y)), [x])
    expect(T.reference(T.jvp(grown, [x], [T.ones([3])])[1]).data).toEqual(T.reference(T.exp(x)).data)
  })
  it('need not have a second derivative, which checkGrad leaves out unless asked', () => {
    const slope = T.elementwise({
      name: 'user_slope',
      wgsl: 'fn user_slope(x: f32) -> f32 { return 2 * x; }',
      reference: (y: number) => 2 * y,
    })
    const once = T.elementwise({
      name: 'user_once',
      wgsl: 'fn user_once(x: f32) -> f32 { return x * x; }',
      reference: (y: number) => y * y,
      derivatives: ([y]) => [slope(y!)],
    })
    checkGrad((y: X) => once(y), [x])
    expect(message(() => checkGrad((y: X) => once(y), [x], { order: 2 }))).toMatch(/user_slope is differentiated/)
  })
  it('is mapped over a batch', () => checkVmap((y: X) => power(y, 2), [T.tensor([[1.5, 2], [3, 4]])])) // biome-ignore format: short
  it('refuses what does not fit', () => {
    expect(message(() => T.reference(power(T.ones([2], { dtype: 'i32' }), 2)))).toBe(
      'CheckError: user_power: operand 1 is i32, its parameter f32',
    )
    expect(message(() => T.reference(power(T.ones([2]), T.ones([3], { dtype: 'i32' }))))).toMatch(/do not broadcast/)
    expect(message(() => T.reference((power as (x: X) => X)(x)))).toBe(
      'CheckError: user_power: takes 2 operands, got 1',
    )
    expect(message(() => T.grad((y: X) => T.sum(plain(y)))(x))).toBe(
      'UsageError: user_plain is differentiated and was defined without derivatives',
    )
  })
  it('refuses definitions that cannot be', () => {
    const define = (name: string, wgsl: string) => message(() => T.elementwise({ name, wgsl, reference: Math.abs }))
    expect(define('user_none', 'fn other(x: f32) -> f32 { return x; }')).toBe(
      "UsageError: elementwise: the text of user_none has no function 'fn user_none(x: f32) -> f32'",
    )
    expect(define('user_rows', 'fn user_rows(x: f32) -> f32 { return x; }')).toBe(
      'UsageError: elementwise: there is an op called user_rows already, of the other kind: a function of numbers, or a kernel',
    )
  })
  it('may be defined again: what was made before keeps its text, and both stand in one kernel', async () => {
    const scaled = (by: number) =>
      T.elementwise({
        name: 'user_scaled',
        wgsl: `fn user_scaled(x: f32) -> f32 { return ${by} * x; }`,
        reference: (y: number) => by * y,
        derivatives: ([y]) => [T.full(y!.shape, by)],
      }) as (x: X) => X
    const [before, after] = [scaled(2), scaled(3)]
    const both = (y: X): X => T.add(before(y), T.mul(after(y), 10))
    const slope = T.grad((y: X) => T.sum(both(y)))
    expect(T.reference(both(x)).data).toEqual(T.reference(T.mul(x, 32)).data)
    expect(T.reference(slope(x)).data).toEqual(Float32Array.of(32, 32, 32))
    for (const device of [await sharedDevice(), await sharedProcessor()]) {
      const loaded = await T.compileOn(device, both, [T.spec([3])])
      expect(await (await loaded.run([1.25, 2, -3])).read()).toEqual(Float32Array.of(40, 64, -96))
    }
  })
  it('says whose rule is wrong', () => {
    const wrong = T.elementwise({
      name: 'user_wrong',
      wgsl: 'fn user_wrong(x: f32) -> f32 { return x; }',
      reference: (y: number) => y,
      derivatives: () => [T.ones([7])],
    })
    expect(message(() => T.grad((y: X) => T.sum(wrong(y)))(x))).toBe(
      'UsageError: user_wrong: its derivatives gives f32[7] for a tensor of f32[3]',
    )
  })
})

describe('customKernel', () => {
  const [sums, products] = rows(a, b)
  it('gives every output', () => {
    expect(T.reference([sums, products]).map((v) => Array.from(v.data))).toEqual([
      [6.5, 8.75],
      [-0.5, 0.5],
    ])
    expectTypeOf(rows).returns.toEqualTypeOf<readonly [X, X]>()
  })
  it('is pulled back, to the second order, and not pushed forward without a jvp', () => {
    const f = (p: X, q: X): X => {
      const [s, t] = rows(p, q)
      return T.sum(T.mul(s, T.tanh(t)))
    }
    checkGrad(f, [a, b])
    checkGrad((p: X) => T.sum(T.square(T.grad(f)(p, b))), [a])
    expect(message(() => T.jvp(f, [a, b], [a, b]))).toBe(
      'UsageError: user_rows is differentiated and was defined without a jvp, which forward mode needs',
    )
  })
  it('runs once an example', () => {
    checkVmap((p: X, q: X) => rows(p, q), [T.stack([a, b, a]), b], { inAxes: [0, null] })
    const none = T.vmap((p: X) => rows(p, b)[0], { inAxes: [0] })(T.zeros([0, 2, 3]))
    expect(none.shape).toEqual([0, 2])
  })
  it('refuses what does not fit', () => {
    const [one] = rows(a, x)
    expect(message(() => T.reference(one))).toBe('CheckError: user_rows: a and b must be matrices of one shape')
    expect(message(() => T.reference(rows(T.cast(a, 'bf16'), b)[1]))).toMatch(/a is bf16, which kernels do not/)
    const odd = T.customKernel({
      name: 'user_odd',
      inputs: ['p'],
      outputs: ['q'],
      infer: ([p]) => [p!],
      wgsl: 'fn user_odd(workgroup: u32, local: u32) {}',
      workgroups: () => 1,
      reference: () => [[1]],
    })
    expect(message(() => T.reference(odd(x)))).toBe(
      'UsageError: user_odd: its reference gives 1 elements for q, which is f32[3]',
    )
    expect(message(() => T.grad((y: X) => T.sum(odd(y)))(x))).toMatch(/defined without jvp or vjp/)
  })
})
