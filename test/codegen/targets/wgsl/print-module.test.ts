/** The printed text: one kernel as a snapshot, constants that survive printer, compiler and device, text only where needed. */
import { describe, expect, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { kernelFunction } from '../../../../codegen/kernel/functions/table.ts'
import type { Binding, KExpr, Kernel } from '../../../../codegen/kernel/kernel.ts'
import { isUsableName } from '../../../../codegen/kernel/reserved-names.ts'
import { makeFunctionTexts } from '../../../../codegen/targets/wgsl/function-texts.ts'
import { f16Literal, f32Literal, literal } from '../../../../codegen/targets/wgsl/literal.ts'
import { printKernel } from '../../../../codegen/targets/wgsl/print-module.ts'
import { fromHalf, toHalf } from '../../../../src/lang/half.ts'
import { apply } from '../../kernel/elementwise.ts'
import { bitsOf, floatOf, randomWords } from '../../kernel/sweep.ts'
import { runOnDevice } from '../../run-wgsl.ts'

const x: Binding = { name: 'x', element: k.kType('f32', 4), access: 'read' }
const y: Binding = { name: 'y', element: k.kType('f32'), access: 'read_write' }

test('a kernel as text', () => {
  const row = k.ref('row')
  const kernel: Kernel = {
    name: 'sum of relu',
    workgroupSize: 64,
    bindings: [x, y],
    arrays: [{ name: 'scratch', space: 'workgroup', element: k.kType('f32'), size: 64 }],
    body: [
      k.letStmt('row', k.add(k.mul(k.builtin('gridIndex'), k.u32(64)), k.builtin('localIndex'))),
      k.ifStmt(k.lt(row, k.u32(100)), [
        k.varStmt('acc', k.kType('f32', 4)),
        k.forStmt('i', k.u32(0), k.u32(8), 2, [
          k.letStmt('v', k.load(x, k.add(k.mul(row, k.u32(8)), k.ref('i')))),
          k.assign(
            'acc',
            k.add(k.ref('acc', k.kType('f32', 4)), k.max(k.ref('v', k.kType('f32', 4)), k.splat(k.lit(0), 4))),
          ),
        ]),
        k.store(y, row, k.mul(k.lane(k.ref('acc', k.kType('f32', 4)), 0), k.lit(0.1))),
      ]),
    ],
  }
  expect(printKernel(kernel)).toMatchInlineSnapshot(`
    "// sum of relu
    @group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    var<workgroup> scratch: array<f32, 64>;

    fn tl_maxConst_4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
      return select(b, a, (a > b) | ((bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
    }

    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
      let gridIndex = workgroup.x + workgroup.y * workgroups.x;
      let row = (gridIndex * 64u) + localIndex;
      if row < 100u {
        var acc: vec4<f32>;
        for (var i = 0u; i < 8u; i += 2u) {
          let v = x[(row * 8u) + i];
          acc = acc + tl_maxConst_4(v, vec4<f32>(0.0f));
        }
        y[row] = acc.x * 0x1.99999ap-4f;
      }
    }
    "
  `)
  expect(printKernel(kernel)).toBe(printKernel(structuredClone(kernel)))
})

const kernelOf = (value: KExpr, element: Binding['element']): Kernel => ({
  name: 'one value',
  workgroupSize: 1,
  bindings: [{ name: 'result', element, access: 'read_write' }],
  arrays: [],
  body: [k.store({ name: 'result', element, access: 'read_write' }, k.u32(0), value)],
})

describe('f32 constants', () => {
  const classes = (): readonly number[] => {
    const next = randomWords(21)
    const edges = [
      0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x7f7ffffe, 0x7f7fffff, 0x7f800000,
    ]
    const out = edges.flatMap((b) => [b, (b | 0x80000000) >>> 0])
    for (let e = 0; e < 256; e++)
      for (const m of [0, 1, 0x400000, 0x7fffff, next() & 0x7fffff])
        out.push(((next() & 0x80000000) | (e << 23) | m) >>> 0)
    for (const v of [0.1, 0.5, 3, 1e6, 16777216, 1e-3, Math.PI, 0.3333333, 100.25, 1e10])
      out.push(bitsOf(Math.fround(v)))
    return out.filter((b) => (b & 0x7fffffff) <= 0x7f800000)
  }

  test('every class of bits comes back from the device', async () => {
    const bits = classes()
    const word = k.kType('u32')
    const result: Binding = { name: 'result', element: word, access: 'read_write' }
    for (let at = 0; at < bits.length; at += 256) {
      const some = bits.slice(at, at + 256)
      const body = some.map((b, i) => k.store(result, k.u32(i), k.bitcast(k.lit(floatOf(b)), 'u32')))
      const kernel: Kernel = { name: 'constants', workgroupSize: 1, bindings: [result], arrays: [], body }
      const [got] = await runOnDevice(kernel, 1, [new ArrayBuffer(4 * some.length)])
      expect([...new Uint32Array(got!)]).toEqual(some)
    }
  })

  test('NaN is a NaN in scalars and vectors', async () => {
    const [a] = await runOnDevice(kernelOf(k.lit(Number.NaN), k.kType('f32')), 1, [new ArrayBuffer(4)])
    expect(new Float32Array(a!)[0]).toBeNaN()
    const [b] = await runOnDevice(kernelOf(k.splat(k.lit(Number.NaN), 4), k.kType('f32', 4)), 1, [new ArrayBuffer(16)])
    expect([...new Float32Array(b!)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
  })

  test('text is a short exact decimal or a hex float', () => {
    expect([0, 1, -2.5, 0.1, 2 ** -149, 3.4028234663852886e38, 1e10].map((v) => f32Literal(Math.fround(v)))).toEqual([
      '0.0f',

      '1.0f',
      '-2.5f',
      '0x1.99999ap-4f',
      '0x0.000002p-126f',
      '0x1.fffffep+127f',
      '0x1.2a05f2p+33f',
    ])
    expect(literal('i32', -(2 ** 31))).toBe('i32(-2147483648)')
    expect([Number.NaN, -0, Number.POSITIVE_INFINITY].map((v) => literal('f32', v))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

test('f16 constants are exact, and bits round-trip', () => {
  for (let bits = 0; bits < 0x7c00; bits += 1) {
    const v = fromHalf(bits)
    expect(toHalf(v)).toBe(bits)
    const text = f16Literal(v)
    expect(text).toMatch(/^\d+(\.\d+)?(e-\d+)?h$/)
    expect(text).toMatch(/[.e]/)
    expect(Number.parseFloat(text)).toBe(v)
  }
})

test('f16 is enabled exactly where it is used, and special functions go through f32', () => {
  const half: Binding = { name: 'h', element: k.kType('f16'), access: 'read_write' }
  const text = printKernel({
    ...kernelOf(k.lit(1), k.kType('f32')),
    bindings: [half],
    body: [k.store(half, k.u32(0), k.unary('exp', k.load(half, k.u32(1))))],
  })
  expect(text).toContain('enable f16;')
  expect(text).toContain('h[0u] = f16(tl_exp(f32(h[1u])));')
  expect(printKernel(kernelOf(k.lit(1), k.kType('f32')))).not.toContain('enable')
})

test('constants meet the values of their ops, where const evaluation would refuse', async () => {
  const values: readonly (readonly [KExpr, number])[] = [
    [k.mul(k.lit(3e38), k.lit(3e38)), Number.POSITIVE_INFINITY],
    [k.div(k.lit(-1), k.lit(0)), Number.NEGATIVE_INFINITY],
    [k.div(k.lit(0), k.lit(0)), Number.NaN],
    [k.div(k.lit(0), k.lit(3)), 0],
    [k.mul(k.lit(0), k.lit(Number.POSITIVE_INFINITY)), Number.NaN],
    [k.mul(k.lit(3e38), k.lit(0)), 0],
    [k.unary('sqrt', k.lit(-1)), Number.NaN],
    [k.unary('exp', k.lit(1000)), Number.POSITIVE_INFINITY],
    [k.unary('log', k.lit(0)), Number.NEGATIVE_INFINITY],
    [k.unary('abs', k.lit(Number.NEGATIVE_INFINITY)), Number.POSITIVE_INFINITY],
    [k.add(k.mul(k.lit(3e38), k.lit(2)), k.lit(1)), Number.POSITIVE_INFINITY],
    [k.cast(k.div(k.lit(7, 'i32'), k.lit(0, 'i32')), 'f32'), 7],
    [k.cast(k.rem(k.lit(7, 'u32'), k.lit(0, 'u32')), 'f32'), 0],
    [k.cast(k.shiftLeft(k.lit(1, 'u32'), k.lit(32, 'u32')), 'f32'), 0],
    [k.bitcast(k.lit(0x7f800000, 'u32'), 'f32'), Number.POSITIVE_INFINITY],
  ]
  const got = await apply(
    values.map(([e], i) => ({ name: `${i}`, of: () => e })),
    [{ scalar: 'f32', words: new Uint32Array(1) }],
    1,
    20,
  )
  expect(values.map((_, i) => floatOf(got.get(`${i}`)![0]!))).toEqual(values.map(([, want]) => want))
})

test('threefry agrees with the vectors of Random123 and JAX', async () => {
  // Random123's kat_vectors: threefry2x32, 20 rounds; key (13198a2e 03707344), count (243f6a88 85a308d3).
  const cases = [
    { key: [0, 0], count: [0, 0], want: [0x6b200159, 0x99ba4efe] },
    { key: [0xffffffff, 0xffffffff], count: [0xffffffff, 0xffffffff], want: [0x1cb996fc, 0xbb002be7] },
    { key: [0x13198a2e, 0x03707344], count: [0x243f6a88, 0x85a308d3], want: [0xc4923a9c, 0x483df7a0] },
  ]
  const inputs = [0, 1, 2, 3].map((i) => ({
    scalar: 'u32' as const,
    words: new Uint32Array(cases.map((c) => [...c.key, ...c.count][i]!)),
  }))
  for (const width of [1, 4] as const) {
    const got = await apply(
      ([0, 1] as const).map((w) => ({ name: `${w}`, of: (v) => k.threefry(w, [v[0]!, v[1]!, v[2]!, v[3]!]) })),
      inputs,
      width,
    )
    cases.forEach((c, i) => {
      expect([got.get('0')![i], got.get('1')![i]]).toEqual(c.want)
    })
  }
})

test('a barrier orders storage too where a kernel reads what it writes', () => {
  const body = [k.store(y, k.u32(0), k.lit(1)), k.barrier, k.store(y, k.u32(1), k.load(y, k.u32(0)))]
  expect(printKernel({ name: 'n', workgroupSize: 1, bindings: [y], arrays: [], body })).toContain(
    '  storageBarrier(); workgroupBarrier();',
  )
  expect(printKernel({ name: 'n', workgroupSize: 1, bindings: [y], arrays: [], body: body.slice(0, 2) })).not.toContain(
    'storageBarrier',
  )
})

test('functions come once, in one order', () => {
  const one = makeFunctionTexts()
  for (const name of ['tanh', 'exp', 'sin', 'tanh'] as const) one.use(kernelFunction(name, 4))
  const other = makeFunctionTexts()
  for (const name of ['sin', 'tanh', 'exp'] as const) other.use(kernelFunction(name, 4))
  expect(one.text()).toBe(other.text())
  expect(one.text().match(/fn \w+/g)).toEqual([
    'fn tl_mulHigh',
    'fn tl_exp_4',
    'fn tl_tanh_4',
    'fn tl_reciprocal',
    'fn tl_bigAngle',
    'fn tl_angle_4',
    'fn tl_sin_4',
  ])
})

test('names that WGSL or the printer needs are not usable', () => {
  expect(['x', 'acc0', 'row_1'].filter((n) => !isUsableName(n))).toEqual([])
  expect(
    ['', '_', '1x', 'a__b', 'let', 'vec4', 'tl_exp', 'main', 'gridIndex', 'ref', 'x y', 'π'].filter(isUsableName),
  ).toEqual([])
})

test('names of builtins that the printer does not use are free', async () => {
  const dot: Binding = { name: 'dot', element: k.kType('f32'), access: 'read_write' }
  const body = ['length', 'exp', 'log', 'step', 'pow'].map((name) =>
    k.letStmt(name, k.unary('tanh', k.load(dot, k.u32(1)))),
  )
  const kernel: Kernel = {
    ...kernelOf(k.lit(0), k.kType('f32')),
    bindings: [dot],
    body: [...body, k.store(dot, k.u32(0), k.add(k.ref('exp', k.kType('f32')), k.lit(1)))],
  }
  const [got] = await runOnDevice(kernel, 1, [new ArrayBuffer(8)])
  expect([...new Float32Array(got!)]).toEqual([1, 0])
})
