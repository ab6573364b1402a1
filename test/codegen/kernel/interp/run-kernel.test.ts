/** The interpreter against the device on kernels with loops, branches, arrays and barriers; its errors; what it counts. */
import { describe, expect, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { makeCounters, runKernel } from '../../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, Kernel, KStmt, LocalArray } from '../../../../codegen/kernel/kernel.ts'
import { verifyKernel } from '../../../../codegen/kernel/verify-kernel.ts'
import { runOnDevice } from '../../run-wgsl.ts'
import { bitsOf, randomWords } from '../sweep.ts'

const f32 = k.kType('f32')
const vec = k.kType('f32', 4)
const u32 = k.kType('u32')
const buffer = (name: string, element = f32, access: Binding['access'] = 'read'): Binding => ({ name, element, access })
const array = (name: string, space: LocalArray['space'], size: number, element = f32): LocalArray => ({
  name,
  space,
  size,
  element,
})
const grid = k.builtin('gridIndex')
const local = k.builtin('localIndex')
const c = k.u32

interface Case {
  readonly kernel: Kernel
  readonly workgroups: number
  /** Elements (words) of each binding; outputs start as the same random data. */
  readonly sizes: readonly number[]
  readonly integers?: boolean
}

const x = buffer('x')
const xv = buffer('xv', vec)
const y = buffer('y', f32, 'read_write')
const yv = buffer('yv', vec, 'read_write')
const n = buffer('n', u32)
const m = buffer('m', u32, 'read_write')

const rowSum: Case = {
  workgroups: 3,
  sizes: [150, 30],
  kernel: {
    name: 'row sums in a loop, a guarded tail',
    workgroupSize: 8,
    bindings: [x, y],
    arrays: [],
    body: [
      k.letStmt('row', k.add(k.mul(grid, c(8)), local)),
      k.ifStmt(
        k.lt(k.ref('row'), c(21)),
        [
          k.varStmt('acc', f32, k.lit(0)),
          k.forStmt('i', c(0), c(7), 1, [
            k.letStmt('v', k.load(x, k.add(k.mul(k.ref('row'), c(7)), k.ref('i')))),
            k.ifStmt(
              k.lt(k.lit(0), k.ref('v', f32)),
              [k.assign('acc', k.add(k.ref('acc', f32), k.ref('v', f32)))],
              [k.assign('acc', k.sub(k.ref('acc', f32), k.lit(0.5)))],
            ),
          ]),
          k.store(y, k.ref('row'), k.ref('acc', f32)),
        ],
        [k.store(y, k.ref('row'), k.lit(-1))],
      ),
    ],
  },
}

const scratch = array('scratch', 'workgroup', 16)
const tree: Case = {
  workgroups: 5,
  sizes: [80, 5],
  kernel: {
    name: 'a tree reduction with barriers in a loop',
    workgroupSize: 16,
    bindings: [x, y],
    arrays: [scratch],
    body: [
      k.write(scratch, local, k.load(x, k.add(k.mul(grid, c(16)), local))),
      k.barrier,
      k.forStmt('step', c(0), c(4), 1, [
        k.letStmt('half', k.shiftRight(c(8), k.ref('step'))),
        k.letStmt('mine', k.lt(local, k.ref('half'))),
        k.ifStmt(k.ref('mine', k.kType('bool')), [
          k.write(scratch, local, k.max(k.read(scratch, local), k.read(scratch, k.add(local, k.ref('half'))))),
        ]),
        k.barrier,
      ]),
      k.ifStmt(k.eq(local, c(0)), [k.store(y, grid, k.read(scratch, c(0)))]),
    ],
  },
}

const rotated: Case = {
  workgroups: 4,
  sizes: [64, 64],
  kernel: {
    name: 'neighbours exchanged in two nested loops, the barrier in the inner',
    workgroupSize: 16,
    bindings: [x, y],
    arrays: [scratch],
    body: [
      k.letStmt('at', k.add(k.mul(grid, c(16)), local)),
      k.varStmt('v', f32, k.load(x, k.ref('at'))),
      k.forStmt('i', c(0), c(3), 1, [
        k.forStmt('j', c(0), k.add(k.ref('i'), c(1)), 1, [
          k.write(scratch, local, k.ref('v', f32)),
          k.barrier,
          k.assign('v', k.sub(k.read(scratch, k.rem(k.add(local, c(3)), c(16))), k.mul(k.ref('v', f32), k.lit(0.25)))),
          k.barrier,
        ]),
        k.ifStmt(k.eq(k.ref('i'), c(1)), [
          k.write(scratch, k.sub(c(15), local), k.ref('v', f32)),
          k.barrier,
          k.assign('v', k.read(scratch, local)),
          k.barrier,
        ]),
      ]),
      k.store(y, k.ref('at'), k.ref('v', f32)),
    ],
  },
}

const held = array('held', 'private', 8)
const privates: Case = {
  workgroups: 2,
  sizes: [128, 128],
  kernel: {
    name: 'a private array, insertion sorted',
    workgroupSize: 8,
    bindings: [x, y],
    arrays: [held],
    body: [
      k.letStmt('base', k.mul(k.add(k.mul(grid, c(8)), local), c(8))),
      k.forStmt('i', c(0), c(8), 1, [
        k.varStmt('v', f32, k.load(x, k.add(k.ref('base'), k.ref('i')))),
        k.forStmt('j', c(0), k.ref('i'), 1, [
          k.letStmt('h', k.read(held, k.ref('j'))),
          k.ifStmt(k.lt(k.ref('v', f32), k.ref('h', f32)), [
            k.write(held, k.ref('j'), k.ref('v', f32)),
            k.assign('v', k.ref('h', f32)),
          ]),
        ]),
        k.write(held, k.ref('i'), k.ref('v', f32)),
      ]),
      k.forStmt('o', c(0), c(8), 1, [k.store(y, k.add(k.ref('base'), k.ref('o')), k.read(held, k.ref('o')))]),
    ],
  },
}

const tile = array('tile', 'workgroup', 4, vec)
const vectors: Case = {
  workgroups: 6,
  sizes: [96, 96],
  kernel: {
    name: 'vectors: lanes turned, a vector assigned from its own lanes, a masked load',
    workgroupSize: 4,
    bindings: [xv, yv],
    arrays: [tile],
    body: [
      k.letStmt('at', k.add(k.mul(grid, c(4)), local)),
      k.varStmt('v', vec, k.load(xv, k.ref('at'))),
      k.assign('v', k.vec([3, 2, 1, 0].map((i) => k.lane(k.ref('v', vec), i)))),
      k.write(
        tile,
        local,
        k.add(k.mul(k.ref('v', vec), k.splat(k.lit(0.5), 4)), k.splat(k.lane(k.ref('v', vec), 1), 4)),
      ),
      k.barrier,
      k.letStmt('w', k.read(tile, k.sub(c(3), local))),
      k.letStmt('far', k.select(k.lt(k.ref('at'), c(23)), k.lane(k.load(xv, k.add(k.ref('at'), c(1))), 0), k.lit(7))),
      k.letStmt('mask', k.lt(k.ref('w', vec), k.splat(k.lit(0), 4))),
      k.store(
        yv,
        k.ref('at'),
        k.select(
          k.ref('mask', k.kType('bool', 4)),
          k.neg(k.ref('w', vec)),
          k.add(k.ref('w', vec), k.splat(k.ref('far', f32), 4)),
        ),
      ),
    ],
  },
}

const wide = array('wide', 'workgroup', 8, u32)
const integers: Case = {
  workgroups: 130,
  sizes: [1040, 1040],
  integers: true,
  kernel: {
    name: 'hashes of words across the workgroup, on a folded grid',
    workgroupSize: 8,
    bindings: [n, m],
    arrays: [wide],
    body: [
      k.letStmt('at', k.add(k.mul(grid, c(8)), local)),
      k.varStmt('h', u32, k.load(n, k.ref('at'))),
      k.forStmt('i', c(0), c(6), 2, [
        k.assign('h', k.mul(k.xor(k.ref('h'), k.shiftRight(k.ref('h'), c(15))), c(0x2c1b3c6d))),
        k.write(wide, local, k.ref('h')),
        k.barrier,
        k.assign('h', k.add(k.rem(k.ref('h'), c(1000003)), k.read(wide, k.xor(local, k.add(k.ref('i'), c(1)))))),
        k.barrier,
      ]),
      k.letStmt('signed', k.div(k.bitcast(k.ref('h'), 'i32'), k.lit(-17, 'i32'))),
      k.store(
        m,
        k.ref('at'),
        k.threefry(1, [k.ref('h'), c(3), k.bitcast(k.ref('signed', k.kType('i32')), 'u32'), k.ref('at')]),
      ),
    ],
  },
}

const inPlace: Case = {
  workgroups: 3,
  sizes: [48],
  kernel: {
    name: 'in place, storage exchanged over a barrier',
    workgroupSize: 16,
    bindings: [y],
    arrays: [],
    body: [
      k.letStmt('base', k.mul(grid, c(16))),
      k.letStmt('other', k.load(y, k.add(k.ref('base'), k.sub(c(15), local)))),
      k.barrier,
      k.store(y, k.add(k.ref('base'), local), k.mul(k.ref('other', f32), k.lit(2))),
    ],
  },
}

const fill = (size: number, integer: boolean, seed: number): ArrayBuffer => {
  const next = randomWords(seed)
  return Uint32Array.from({ length: size }, () => (integer ? next() : bitsOf(Math.fround(next() / 2 ** 31 - 1)))).buffer
}

describe('interpreter and device agree to the bit', () => {
  test.each([rowSum, tree, rotated, privates, vectors, integers, inPlace].map((t) => [t.kernel.name, t] as const))(
    '%s',
    async (_name, t) => {
      expect(verifyKernel(t.kernel)).toEqual([])
      const buffers = t.sizes.map((size, i) => fill(size, t.integers ?? false, i + 1))
      const device = await runOnDevice(t.kernel, t.workgroups, buffers)
      runKernel(
        t.kernel,
        t.workgroups,
        buffers.map((b) => ({ buffer: b })),
      )
      buffers.forEach((b, i) => {
        const [got, want] = t.integers
          ? [new Uint32Array(b), new Uint32Array(device[i]!)]
          : [new Float32Array(b), new Float32Array(device[i]!)]
        expect(got).toEqual(want)
      })
    },
  )

  test('the sort sorts and the tree finds the maximum', () => {
    const input = fill(128, false, 1)
    const sorted = new Float32Array(128)
    runKernel(privates.kernel, 2, [{ buffer: input }, { buffer: sorted.buffer }])
    const rows = new Float32Array(input)
    expect([...sorted.subarray(8, 16)]).toEqual([...rows.slice(8, 16).sort()])
    const most = new Float32Array(5)
    runKernel(tree.kernel, 5, [{ buffer: input, byteLength: 320 }, { buffer: most.buffer }])
    expect(most[1]).toBe(Math.max(...rows.subarray(16, 32)))
  })
})

const oneOf = (body: readonly KStmt[], arrays: readonly LocalArray[] = [], workgroupSize = 4): Kernel => ({
  name: 'bad',
  workgroupSize,
  bindings: [x, y],
  arrays,
  body,
})
const tiny = (): { readonly buffer: ArrayBuffer }[] => [
  { buffer: new ArrayBuffer(16) },
  { buffer: new ArrayBuffer(16) },
]

describe('errors where a device is silent', () => {
  const cases: readonly (readonly [string, Kernel, RegExp])[] = [
    [
      'a load out of range',
      oneOf([k.store(y, local, k.load(x, k.add(local, c(1))))]),
      /load x\[4\] of 4 elements, workgroup 0 of bad/,
    ],
    ['a store out of range', oneOf([k.store(y, k.sub(local, c(1)), k.lit(0))]), /store y\[4294967295\] of 4 elements/],
    [
      'an array index out of range',
      oneOf([k.write(scratch, k.mul(local, c(8)), k.lit(0))], [scratch]),
      /scratch\[16\] of 16 elements/,
    ],
    [
      'a barrier that some do not reach',
      oneOf([k.ifStmt(k.lt(local, c(2)), [k.barrier])]),
      /a condition around a barrier differs/,
    ],
    [
      'a loop with a barrier of varying length',
      oneOf([k.forStmt('i', c(0), local, 1, [k.barrier])]),
      /the end of a loop around a barrier differs/,
    ],
    ['an undefined name', oneOf([k.store(y, local, k.ref('v', f32))]), /v is used before it is defined/],
  ]
  test.each(cases)('%s', (_name, kernel, message) => {
    expect(() => runKernel(kernel, 1, tiny())).toThrow(message)
  })

  test('a masked load may point anywhere', () => {
    const kernel = oneOf([k.store(y, local, k.select(k.lt(local, c(4)), k.lit(3), k.load(x, c(1000))))])
    const buffers = tiny()
    runKernel(kernel, 1, buffers)
    expect([...new Float32Array(buffers[1]!.buffer)]).toEqual([3, 3, 3, 3])
  })
})

test('memory is zero at the start of each workgroup and invocation', () => {
  const kernel = oneOf(
    [
      k.write(scratch, local, k.add(k.read(scratch, local), k.lit(1))),
      k.write(held, c(0), k.add(k.read(held, c(0)), k.lit(1))),
      k.varStmt('v', f32),
      k.store(y, local, k.add(k.ref('v', f32), k.add(k.read(scratch, local), k.read(held, c(0))))),
      k.assign('v', k.lit(5)),
    ],
    [scratch, held],
  )
  const buffers = tiny()
  runKernel(kernel, 3, buffers)
  expect([...new Float32Array(buffers[1]!.buffer)]).toEqual([2, 2, 2, 2])
})

test('f16 storage rounds to halves', () => {
  const h: Binding = { name: 'h', element: k.kType('f16'), access: 'read_write' }
  const kernel: Kernel = {
    name: 'half',
    workgroupSize: 1,
    bindings: [h],
    arrays: [],
    body: [k.store(h, c(0), k.cast(k.lit(0.1), 'f16')), k.store(h, c(1), k.mul(k.load(h, c(0)), k.lit(3, 'f16')))],
  }
  const words = new Uint16Array(2)
  runKernel(kernel, 1, [{ buffer: words.buffer }])
  // 0.1 -> 0x2e66 (0.0999755859375); three times that is midway between 0x34cc and 0x34cd: to even.
  expect([...words]).toEqual([0x2e66, 0x34cc])
})

describe('counters', () => {
  test('distinct elements per workgroup, and float work', () => {
    // Two workgroups of 4 read x[0] and their own element, and write their own.
    const body = [
      k.letStmt('at', k.add(k.mul(grid, c(4)), local)),
      k.letStmt('v', k.add(k.mul(k.load(x, k.ref('at')), k.load(x, c(0))), k.lit(1))),
      k.store(y, k.ref('at'), k.unary('exp', k.ref('v', f32))),
    ]
    const counters = makeCounters()
    runKernel(oneOf(body), 2, [{ buffer: new ArrayBuffer(32) }, { buffer: new ArrayBuffer(32) }], counters)
    // x: 4 elements in the first workgroup (x[0] is its own), 5 in the second; y: 4 in each. mul 1 + add 1 + exp 1, 8 times.
    expect(counters).toEqual({ flops: 24, bytes: (9 + 8) * 4, bindings: [36, 32] })
  })

  test('vectors count all lanes, integers nothing, loops every turn', () => {
    const kernel: Kernel = {
      ...vectors.kernel,
      arrays: [],
      body: [
        k.varStmt('s', vec),
        k.forStmt('i', c(0), c(5), 1, [k.assign('s', k.add(k.ref('s', vec), k.load(xv, k.mul(k.ref('i'), c(4)))))]),
        k.store(yv, k.add(k.mul(grid, c(4)), local), k.ref('s', vec)),
      ],
    }
    const counters = makeCounters()
    runKernel(kernel, 2, [{ buffer: fill(96, false, 1) }, { buffer: new ArrayBuffer(384) }], counters)
    expect(counters).toEqual({ flops: 2 * 4 * 5 * 4, bytes: 2 * 5 * 16 + 2 * 4 * 16, bindings: [160, 128] })
  })
})

test('a part of an arena is a binding of its own', () => {
  const arena = new ArrayBuffer(1024)
  new Float32Array(arena, 256, 4).set([1, 2, 3, 4])
  const kernel = oneOf([k.store(y, local, k.mul(k.load(x, local), k.lit(2)))])
  runKernel(kernel, 1, [
    { buffer: arena, byteOffset: 256, byteLength: 16 },
    { buffer: arena, byteOffset: 512, byteLength: 16 },
  ])
  expect([...new Float32Array(arena, 512, 5)]).toEqual([2, 4, 6, 8, 0])
})
