/** The price of a value's text: by lanes, by what an operation takes, and nothing for what is no text of its own. */
import { describe, expect, it } from 'vitest'
import type { Index, LoopValue, Range } from '../../../../passes/loop/ir/cluster.ts'
import { addIndex, constantIndex, rangeIndex, scaleIndex } from '../../../../passes/loop/ir/index-expression.ts'
import { createValues } from '../../../../passes/loop/ir/values.ts'
import type { Role } from '../../../../passes/loop/schedule/roles.ts'
import { storePrice, textPrice } from '../../../../passes/loop/schedule/text-price.ts'
import { sumOver } from '../clusters.ts'

const values = createValues()
const [row, column] = values.ranges('store', [8, 16]) as readonly [Range, Range]
const [over] = values.ranges('reduce', [5]) as readonly [Range]
const buffer = { id: 0, dtype: 'f32' as const, size: 128 }

/** Columns are vectors of four; register copies of rows change no price, which is that of one copy. */
const roles: ReadonlyMap<Range, Role> = new Map([
  [row, { unroll: 8, vector: false }],
  [column, { unroll: 2, vector: true }],
])

const at = (r: Range): LoopValue => values.load(buffer, rangeIndex(r), [])
const alu = (op: 'add' | 'div' | 'tanh' | 'pow', x: LoopValue): LoopValue =>
  values.alu(op, 'f32', op === 'tanh' ? [x] : [x, x])
const guarded = (r: Range): LoopValue =>
  values.guard([{ index: rangeIndex(r), low: 1, high: 3 }], at(r), values.constant('f32', 0))
const position = (r: Range): Index => addIndex(scaleIndex(rangeIndex(r), 2), constantIndex(1))
const price = (v: LoopValue): number => textPrice(v, roles)

describe('the text of', () => {
  it('a load is the unit, and one of a vector is four', () => {
    expect([price(at(row)), price(at(column)), price(at(over))]).toEqual([1, 4, 1])
    expect(textPrice(at(column), new Map())).toBe(1)
  })

  it.each<[string, (r: Range) => LoopValue]>([
    ['an operation', (r) => alu('add', at(r))],
    ['a function', (r) => alu('tanh', at(r))],
    ['a word of random numbers', (r) => values.threefry(0, [at(r), at(r), at(r), at(r)])],
    ['an index', (r) => values.index('i32', position(r))],
    ['a guard', guarded],
  ])('%s is four times as dear for a vector', (_, make) => {
    expect(price(make(row))).toBeGreaterThan(0)
    expect(price(make(column))).toBeCloseTo(4 * price(make(row)), 12)
  })

  it('operations ranks as their work does', () => {
    const x = at(row)
    const order = [alu('add', x), alu('div', x), x, alu('tanh', x), alu('pow', x)].map(price)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(new Set(order).size).toBe(order.length)
  })

  it('a choice or an index is that of an addition, though what they are made of is dear', () => {
    const add = price(alu('add', at(row)))
    expect([price(guarded(row)), price(values.index('i32', position(row)))]).toEqual([add, add])
  })

  it("a user's function is more than an addition", () => {
    const callee = { name: 'f', gives: 'f32' } as never
    expect(price(values.call(callee, [at(row)]))).toBeGreaterThan(price(alu('add', at(row))))
  })

  it('a constant or a finished sum is nothing', () => {
    expect(price(values.constant('f32', 2))).toBe(0)
    expect(price(sumOver(values, [over], values.alu('mul', 'f32', [at(over), at(column)])))).toBe(0)
  })

  it('a store is as much as the loads of its lanes', () => {
    const store = (ranges: readonly Range[]): number =>
      storePrice({ buffer, index: constantIndex(0), ranges, value: values.constant('f32', 1) }, roles)
    expect([store([]), store([row]), store([row, column])]).toEqual([1, 1, 4])
  })
})
