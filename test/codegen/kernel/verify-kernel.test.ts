/** The verifier: well-formed kernels pass, each rule refuses its own mistake. */
import { describe, expect, test } from 'vitest'
import { apply, native } from '../../../codegen/kernel/build-function.ts'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Binding, KExpr, Kernel, KFunction, KStmt, LocalArray } from '../../../codegen/kernel/kernel.ts'
import { verifyFunction, verifyKernel } from '../../../codegen/kernel/verify-kernel.ts'

const x: Binding = { name: 'x', element: k.kType('f32'), access: 'read' }
const y: Binding = { name: 'y', element: k.kType('f32'), access: 'read_write' }
const tile: LocalArray = { name: 'tile', space: 'workgroup', element: k.kType('f32'), size: 8 }
const kernel = (body: readonly KStmt[], more: Partial<Kernel> = {}): Kernel => ({
  name: 'k',
  workgroupSize: 8,
  bindings: [x, y],
  arrays: [tile],
  body,
  ...more,
})
const local = k.builtin('localIndex')
const at = k.u32(0)
const one = k.lit(1)
const f32 = k.kType('f32')

test('a kernel with loops, barriers and variables is well-formed', () => {
  const body = [
    k.letStmt('row', k.builtin('gridIndex')),
    k.varStmt('n', k.kType('u32'), k.u32(4)),
    k.forStmt('i', k.u32(0), k.ref('n'), 1, [
      k.write(tile, local, k.load(x, k.ref('row'))),
      k.barrier,
      k.ifStmt(k.lt(k.ref('i'), k.u32(2)), [k.barrier]),
      k.assign('n', k.sub(k.ref('n'), k.u32(1))),
    ]),
    k.ifStmt(k.eq(local, at), [k.store(y, k.ref('row'), k.read(tile, at))]),
  ]
  expect(verifyKernel(kernel(body))).toEqual([])
})

describe('each rule', () => {
  const wrongType: KExpr = { kind: 'binary', op: 'add', a: one, b: one, type: k.kType('u32') }
  const cases: readonly (readonly [string, Kernel, string])[] = [
    ['an undefined name', kernel([k.store(y, at, k.ref('v', f32))]), 'v is not defined here'],
    [
      'a name out of scope',
      kernel([k.ifStmt(k.eq(local, at), [k.letStmt('v', one)]), k.store(y, at, k.ref('v', f32))]),
      'v is not defined here',
    ],
    [
      'a name used at another type',
      kernel([k.letStmt('v', at), k.store(y, at, k.ref('v', f32))]),
      'ref is marked f32 and gives u32',
    ],
    ['a name defined twice', kernel([k.letStmt('v', one), k.letStmt('v', one)]), 'v is defined twice'],
    ['a reserved name', kernel([k.letStmt('loop', one)]), 'loop is no usable name'],
    [
      'a node of another type',
      kernel([k.store(y, at, k.cast(wrongType, 'f32'))]),
      'binary is marked u32 and gives f32',
    ],
    ['an assignment to a let', kernel([k.letStmt('v', one), k.assign('v', one)]), 'assignment to v, which is a let'],
    [
      'an assignment of another type',
      kernel([k.varStmt('v', f32), k.assign('v', at)]),
      'the value of v is u32, not f32',
    ],
    [
      'a store to a read-only binding',
      kernel([{ kind: 'store', binding: 'x', index: at, value: one }]),
      'store to x, which is read-only',
    ],
    [
      'a store to nothing',
      kernel([{ kind: 'store', binding: 'z', index: at, value: one }]),
      'store to z, which is not a binding',
    ],
    ['a load from nothing', kernel([k.store(y, at, k.load({ ...x, name: 'z' }, at))]), 'z is not a binding'],
    ['a constant index beyond an array', kernel([k.write(tile, k.u32(8), one)]), 'tile[8] of 8 elements'],
    [
      'a binding of bool',
      kernel([], { bindings: [{ ...x, element: k.kType('bool') }] }),
      'binding x of bool: storage holds u32',
    ],
    [
      'a barrier under a varying condition',
      kernel([k.ifStmt(k.eq(local, at), [k.barrier])]),
      'a barrier in control flow that differs between invocations',
    ],
    [
      'a barrier in a varying loop',
      kernel([k.forStmt('i', at, local, 1, [k.barrier])]),
      'a barrier in control flow that differs between invocations',
    ],
    [
      'a barrier under what a writable binding says',
      kernel([k.ifStmt(k.eq(k.load(y, at), one), [k.barrier])]),
      'a barrier in control flow that differs between invocations',
    ],
    [
      'a barrier under a variable assigned in varying control flow, later in the loop',
      kernel([
        k.varStmt('v', k.kType('u32'), at),
        k.forStmt('i', at, k.u32(2), 1, [
          k.ifStmt(k.eq(k.ref('v'), at), [k.barrier]),
          k.ifStmt(k.eq(local, at), [k.assign('v', k.u32(1))]),
        ]),
      ]),
      'a barrier in control flow that differs between invocations',
    ],
  ]
  test.each(cases)('%s', (_name, bad, problem) => {
    expect(verifyKernel(bad)).toContain(problem)
  })
})

describe('functions', () => {
  const v = k.ref('v', f32)
  const f = (results: readonly KExpr[], body: readonly KStmt[] = []): KFunction => ({
    name: 'f',
    params: [{ name: 'v', type: f32 }],
    body,
    results,
  })
  const twice = f([native('add', v, v)])

  test('have instructions of the target, and apply others', () => {
    expect(verifyFunction(f([apply(twice, [v])], [k.letStmt('w', native('lt', v, one))]))).toEqual([])
    expect(verifyKernel(kernel([k.store(y, at, apply(twice, [k.load(x, at)]))]))).toEqual([])
  })

  const wrong: KExpr = { kind: 'apply', callee: twice, args: [at], result: 0, type: f32 }
  test.each<readonly [string, readonly string[], string]>([
    [
      'an instruction in a kernel',
      verifyKernel(kernel([k.store(y, at, native('neg', one))])),
      'native outside of a function',
    ],
    ['memory', verifyFunction(f([k.load(x, at)])), 'load in a function'],
    ['a place in the grid', verifyFunction(f([k.cast(local, 'f32')])), 'builtin in a function'],
    ['a name that is no parameter', verifyFunction(f([k.ref('u', f32)])), 'u is not defined here'],
    ['a parameter defined again', verifyFunction(f([v], [k.letStmt('v', one)])), 'v is defined twice'],
    ['arguments of another type', verifyFunction(f([wrong])), 'result 0 of f of u32'],
  ])('%s is refused', (_name, problems, problem) => {
    expect(problems).toContain(problem)
  })

  test('constructors refuse what does not fit', () => {
    expect(() => native('add', one, at)).toThrow('native add of f32, u32')
    expect(() => apply(twice, [v], 1)).toThrow('result 1 of f of f32')
  })
})
