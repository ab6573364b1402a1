/** Kernels as WebAssembly: every form of memory access and statement does what the interpreter does, bit for bit. */
import { describe, expect, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, KExpr, Kernel, KStmt, KType, LocalArray } from '../../../../codegen/kernel/kernel.ts'
import { printModule } from '../../../../codegen/targets/wasm/print-module.ts'
import { runWasm } from '../../run-wasm.ts'

const words = 64
/** 4·64 words of every kind: small numbers, halves and subnormal numbers among them. */
const given = (): ArrayBuffer => {
  const all = new Uint32Array(4 * words)
  for (let i = 0; i < all.length; i++) all[i] = Math.imul(i + 1, 0x9e3779b1) >>> (i % 24)
  return all.buffer
}
const floats = (): ArrayBuffer =>
  Float32Array.from({ length: 4 * words }, (_, i) => Math.sin(i) * 2 ** ((i % 9) - 4)).buffer

const binding = (name: string, element: KType, access: Binding['access'] = 'read'): Binding => ({
  name,
  element,
  access,
})
const i = k.builtin('gridIndex')

interface Case {
  readonly name: string
  readonly bindings: readonly Binding[]
  readonly body: readonly KStmt[]
  readonly arrays?: readonly LocalArray[]
  readonly workgroupSize?: number
}

const run = ({ name, bindings, body, arrays = [], workgroupSize = 1 }: Case, from: () => ArrayBuffer): void => {
  const kernel: Kernel = { name, workgroupSize, bindings, arrays, body }
  const buffers = bindings.map((b) => (b.access === 'read' ? from() : new ArrayBuffer(16 * words)))
  const wanted = buffers.map((b) => b.slice(0))
  runKernel(
    kernel,
    words / 2,
    wanted.map((buffer) => ({ buffer })),
  )
  const got = runWasm(kernel, words / 2, buffers)
  expect(got.map((b) => [...new Uint32Array(b)])).toEqual(wanted.map((b) => [...new Uint32Array(b)]))
}

const copies = (['f32', 'i32', 'u32', 'f16'] as const).flatMap((scalar) =>
  ([1, 2, 3, 4] as const).map((width): Case => {
    const [a, b] = [binding('a', k.kType(scalar, width)), binding('b', k.kType(scalar, width), 'read_write')]
    return { name: `elements of ${width} ${scalar}`, bindings: [a, b], body: [k.store(b, i, k.load(a, i))] }
  }),
)

const f32 = binding('a', k.kType('f32'))
const f32x4 = binding('a', k.kType('f32', 4))
const out = binding('out', k.kType('f32'), 'read_write')
const outs = binding('out', k.kType('f32', 4), 'read_write')
const four = (at: (lane: number) => KExpr): KExpr => k.vec([0, 1, 2, 3].map(at))
const quarter = (at: KExpr): KExpr => k.load(f32x4, k.shiftRight(at, k.u32(2)), k.and(at, k.u32(3)))

const cells: LocalArray = { name: 'c', space: 'private', element: k.kType('f32'), size: 8 }
const packed: LocalArray = { name: 'p', space: 'packed', element: k.kType('f32', 4), size: 4 }
const bools: LocalArray = { name: 'flags', space: 'private', element: k.kType('bool'), size: 4 }
const masks: LocalArray = { name: 'masks', space: 'private', element: k.kType('bool', 4), size: 2 }
const vec4 = k.kType('f32', 4)
const row = k.ref('row', vec4)
const loop = (body: readonly KStmt[], counter = 'n'): KStmt => k.forStmt(counter, k.u32(0), k.u32(4), 1, body)
const n = k.ref('n')
const acc = (l: number): KExpr => k.ref(`acc${l}`, k.kType('f32', 4))

const forms: readonly Case[] = [
  {
    name: 'a component of a vector',
    bindings: [f32x4, out],
    body: [k.store(out, i, k.load(f32x4, i, k.and(i, k.u32(3))))],
  },
  {
    name: 'neighbours that begin anywhere',
    bindings: [f32, outs],
    body: [
      k.store(
        outs,
        i,
        four((l) => k.load(f32, k.add(k.mul(i, k.u32(3)), k.u32(l + 1)))),
      ),
    ],
  },
  {
    name: 'neighbours in a binding of vectors',
    bindings: [f32x4, outs],
    body: [
      k.store(
        outs,
        i,
        four((l) => quarter(k.add(k.mul(i, k.u32(3)), k.u32(l)))),
      ),
    ],
  },
  {
    name: 'four loads that are no neighbours',
    bindings: [f32, outs],
    body: [
      k.store(
        outs,
        i,
        four((l) => k.load(f32, k.add(i, k.u32(3 * l)))),
      ),
    ],
  },
  {
    name: 'an index that is negative before a constant is added',
    bindings: [f32, out],
    body: [k.store(out, i, k.load(f32, k.add(k.mul(k.sub(i, k.u32(1)), k.u32(2)), k.u32(5))))],
  },
  {
    name: 'a select that reads on the side that holds alone',
    bindings: [f32, out],
    body: [
      k.store(out, i, k.select(k.lt(i, k.u32(9)), k.load(f32, i), k.load(f32, k.mul(k.sub(i, k.u32(9)), k.u32(4))))),
    ],
  },
  {
    name: 'an array that begins as zeros in every invocation',
    bindings: [f32, out],
    arrays: [cells],
    body: [
      k.write(cells, k.and(i, k.u32(7)), k.load(f32, i)),
      k.store(out, i, k.add(k.read(cells, k.u32(0)), k.read(cells, k.u32(5)))),
    ],
  },
  {
    name: 'a packed array, numbers spread, sums of a loop',
    bindings: [f32, outs],
    arrays: [cells, packed],
    body: [
      loop(
        [
          k.write(
            packed,
            k.ref('m'),
            four((l) => k.load(f32, k.add(k.mul(k.ref('m'), k.u32(4)), k.u32(l)))),
          ),
        ],
        'm',
      ),
      ...[0, 1, 2, 3].map((l) => k.varStmt(`acc${l}`, k.kType('f32', 4))),
      loop([
        k.letStmt('row', k.read(packed, n)),
        ...[0, 1, 2, 3].map((l) => k.letStmt(`x${l}`, k.load(f32, k.add(i, k.u32(l))))),
        ...[0, 1, 2, 3].map((l) =>
          k.letStmt(`y${l}`, k.mul(k.splat(k.ref(`x${l}`, k.kType('f32')), 4), k.ref('row', k.kType('f32', 4)))),
        ),
        k.letStmt('before', acc(0)),
        ...[0, 1, 2, 3].map((l) => k.assign(`acc${l}`, k.add(acc(l), k.ref(`y${l}`, k.kType('f32', 4))))),
        k.assign('acc3', k.sub(acc(3), k.ref('before', k.kType('f32', 4)))),
      ]),
      k.store(outs, i, k.add(k.add(acc(0), acc(1)), k.add(acc(2), acc(3)))),
    ],
  },
  {
    name: 'bools in arrays, of scalars and of vectors, spread and in lanes',
    bindings: [f32, outs],
    arrays: [bools, masks],
    body: [
      k.write(bools, k.and(i, k.u32(3)), k.lt(k.lit(0), k.load(f32, i))),
      k.write(
        masks,
        k.u32(1),
        k.lt(
          k.splat(k.lit(0), 4),
          four((l) => k.load(f32, k.add(i, k.u32(l)))),
        ),
      ),
      k.letStmt('own', k.read(bools, k.and(i, k.u32(3)))),
      k.letStmt(
        'row',
        four((l) => k.load(f32, k.add(i, k.u32(2 * l)))),
      ),
      k.letStmt('one', k.select(k.splat(k.ref('own', k.kType('bool')), 4), row, k.splat(k.lit(7), 4))),
      k.letStmt('two', k.select(k.splat(k.read(bools, k.u32(0)), 4), row, k.splat(k.lit(5), 4))),
      k.letStmt('three', k.select(k.read(masks, k.u32(1)), row, k.splat(k.lit(3), 4))),
      k.store(outs, i, k.add(k.ref('one', vec4), k.add(k.ref('two', vec4), k.ref('three', vec4)))),
    ],
  },
  {
    name: 'a variable that is zero again at every turn',
    bindings: [f32, out],
    body: [
      k.varStmt('sum', k.kType('f32')),
      loop([
        k.varStmt('own', k.kType('f32')),
        k.assign('own', k.add(k.ref('own', k.kType('f32')), k.load(f32, k.add(i, n)))),
        k.assign('sum', k.add(k.ref('sum', k.kType('f32')), k.ref('own', k.kType('f32')))),
      ]),
      k.store(out, i, k.ref('sum', k.kType('f32'))),
    ],
  },
  {
    name: 'loops that do not turn, branches of both kinds',
    bindings: [f32, out],
    body: [
      k.forStmt('n', i, k.u32(5), 3, [k.store(out, k.add(k.u32(100), n), k.load(f32, n))]),
      k.ifStmt(k.lt(i, k.u32(4)), [k.store(out, i, k.load(f32, i))], [k.store(out, i, k.neg(k.load(f32, i)))]),
    ],
  },
  {
    name: 'several invocations of a workgroup',
    bindings: [f32, out],
    workgroupSize: 2,
    body: [
      k.letStmt('t', k.add(k.mul(i, k.u32(2)), k.builtin('localIndex'))),
      k.store(out, k.ref('t'), k.load(f32, k.ref('t'))),
    ],
  },
  {
    name: 'random words',
    bindings: [binding('a', k.kType('u32', 4)), binding('out', k.kType('u32', 4), 'read_write')],
    body: [0, 1].map((w) => {
      const a = k.load(binding('a', k.kType('u32', 4)), i)
      const word = k.threefry(w as 0 | 1, [a, a, a, k.add(a, k.splat(i, 4))])
      return k.store(binding('out', k.kType('u32', 4), 'read_write'), k.add(i, k.u32(w)), word)
    }),
  },
]

describe('a kernel as WebAssembly', () => {
  test.each(copies.map((c) => [c.name, c] as const))('%s', (_, c) => run(c, c.name.endsWith('f32') ? floats : given))
  test.each(forms.map((c) => [c.name, c] as const))('%s', (_, c) => run(c, c.name === 'random words' ? given : floats))

  test('has the same bytes whenever it is printed', () => {
    const kernel = (): Kernel => ({ ...forms[0]!, workgroupSize: 1, arrays: [] })
    expect(printModule([kernel()])).toEqual(printModule([kernel()]))
    expect(printModule([kernel()]).bytes).not.toEqual(printModule([kernel()], { shared: true }).bytes)
  })

  test('with barriers between its invocations is refused', () => {
    const kernel: Kernel = { name: 'team', workgroupSize: 4, bindings: [out], arrays: [], body: [k.barrier] }
    expect(() => printModule([kernel])).toThrow('team has barriers and 4 invocations')
    expect(() => printModule([{ ...kernel, workgroupSize: 1 }])).not.toThrow()
  })
})
