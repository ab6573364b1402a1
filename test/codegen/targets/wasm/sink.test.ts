/** The order of statements in a step: what is added stands before its sum, and nobody sees another value for it. */
import { expect, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../../../../codegen/kernel/kernel.ts'
import { sunk } from '../../../../codegen/targets/wasm/sink.ts'
import { spreadLoads } from '../../../../codegen/targets/wasm/spread.ts'

const f32 = k.kType('f32')
const value = (name: string): KExpr => k.ref(name, f32)
const states = ['a', 'b', 'c', 'd']
const names = (body: readonly KStmt[]): readonly string[] =>
  body.map((s) => ('name' in s ? `${s.kind} ${s.name}` : s.kind))

/** Loads, products, then sums: the order in which a step is emitted. */
const step: readonly KStmt[] = [
  ...states.map((s) => k.letStmt(`x${s}`, k.load({ name: 'm', element: f32, access: 'read' }, k.u32(1)))),
  ...states.map((s) => k.letStmt(`y${s}`, k.mul(value(`x${s}`), value('xa')))),
  ...states.map((s) => k.assign(s, k.add(value(s), value(`y${s}`)))),
]

test('a step computes what a sum adds right before it', () => {
  expect(names(sunk(step))).toEqual([
    ...['let xa', 'let ya', 'assign a', 'let xb', 'let yb', 'assign b'],
    ...['let xc', 'let yc', 'assign c', 'let xd', 'let yd', 'assign d'],
  ])
})

test('who reads a sum reads it before it changes', () => {
  const early = [k.letStmt('old', k.neg(value('a'))), ...step, k.letStmt('last', k.add(value('old'), value('d')))]
  const order = names(sunk(early))
  expect(order.indexOf('let old')).toBeLessThan(order.indexOf('assign a'))
  expect(order.at(-1)).toBe('let last')
  expect([...order].sort()).toEqual([...names(early)].sort())
})

test('other blocks stay as they are', () => {
  const store = k.store({ name: 'out', element: f32, access: 'read_write' }, k.u32(0), value('a'))
  for (const body of [step.slice(0, -1), [...step, store], [k.ifStmt(k.bool(true), step)]])
    expect(sunk(body)).toBe(body)
})

test('loads that are only spread are known, at any depth', () => {
  const spread = (name: string): KStmt => k.letStmt(`v${name}`, k.neg(k.splat(value(name), 4)))
  const body = [...step.slice(0, 4), spread('xa'), k.ifStmt(k.bool(true), [spread('xb'), spread('xc')])]
  expect(spreadLoads(body)).toEqual(new Set(states.map((s) => `x${s}`)))
  expect(spreadLoads([...body, k.forStmt('n', k.u32(0), k.u32(2), 1, [k.letStmt('z', k.neg(value('xc')))])])).toEqual(
    new Set(['xa', 'xb', 'xd']),
  )
})
