/** Interning: equal expressions are one object, collected nodes leave the table, ill-typed nodes stay apart. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { build as b, constant, freshInputs, internedBuckets, isPoisoned } from '../../src/lang/build.ts'
import type { TensorType } from '../../src/lang/ir.ts'

const f32 = (shape: readonly number[]): TensorType => ({ shape, dtype: 'f32' })

describe('equal expressions', () => {
  const [x, y] = freshInputs([f32([2]), f32([2])])
  it('are one object', () => {
    expect(b.add([x!, y!], {})).toBe(b.add([x!, y!], {}))
    expect(b.add([x!, y!], {})).not.toBe(b.add([y!, x!], {}))
    expect(b.add([x!, y!], {})).not.toBe(b.sub([x!, y!], {}))
    expect(b.reshape([x!], { shape: [2, 1] })).toBe(b.reshape([x!], { shape: [2, 1] }))
    expect(b.reshape([x!], { shape: [2, 1] })).not.toBe(b.reshape([x!], { shape: [1, 2] }))
    expect(constant(f32([2]), [1, Number.NaN])).toBe(constant(f32([2]), [1, Number.NaN]))
  })
  it('are one object whatever the order of their parameters', () => {
    const one = b.iota([], { shape: [3], dtype: 'i32', axis: 0 })
    expect(b.iota([], { axis: 0, dtype: 'i32', shape: [3] })).toBe(one)
    expect(b.slice([x!], { stop: [2], step: [1], start: [1] })).toBe(
      b.slice([x!], { start: [1], stop: [2], step: [1] }),
    )
    expect(b.slice([x!], { start: [1], stop: [2], step: [1] })).not.toBe(
      b.slice([x!], { start: [1], stop: [1], step: [2] }),
    )
  })
  it('tell zeros, dtypes and inputs apart', () => {
    expect(constant(f32([1]), [0])).not.toBe(constant(f32([1]), [-0]))
    expect(constant(f32([1]), [1])).not.toBe(constant({ shape: [1], dtype: 'i32' }, [1]))
    expect(constant(f32([1]), [1])).not.toBe(constant(f32([]), [1]))
    expect(freshInputs([f32([2])])[0]).not.toBe(freshInputs([f32([2])])[0])
    const many = Array.from({ length: 65 }, (_, i) => i)
    expect(constant(f32([65]), many)).not.toBe(constant(f32([65]), many))
  })
})

it('in JSON a tensor is its type', () => {
  expect(JSON.stringify({ x: constant({ shape: [2], dtype: 'f32' }, [1, 2]) })).toBe(
    '{"x":{"shape":[2],"dtype":"f32"}}',
  )
})

describe('ill-typed nodes', () => {
  it('are values with the site of the mistake, never interned, and poison in silence', () => {
    const [x, y] = freshInputs([f32([2]), f32([3])])
    const wrong = b.add([x!, y!], {})
    expect(wrong).not.toBe(b.add([x!, y!], {}))
    if (E.isRight(wrong.type)) throw new Error('this should be ill-typed')
    expect(wrong.type.left).toMatchObject({ tag: 'ShapeError', op: 'add', operands: [f32([2]), f32([3])], axis: 0 })
    expect(wrong.type.left.site?.file).toContain('build.test.ts')
    const above = b.exp([wrong], {})
    expect(above.type).toEqual(wrong.type)
    expect([isPoisoned(wrong), isPoisoned(above)]).toEqual([false, true])
  })
})

describe('the table', () => {
  it('shrinks when nodes are collected', async () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const before = internedBuckets()
    // In a function of its own, so that no stack slot keeps the nodes.
    const grow = (): number => {
      let n = constant(f32([]), [1])
      for (let i = 0; i < 20000; i++) n = b.add([n, constant(f32([]), [i + 0.5])], {})
      return internedBuckets()
    }
    const grown = grow()
    expect(grown).toBeGreaterThan(before + 30000)
    for (let i = 0; i < 50 && internedBuckets() > before + 1000; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      collect()
    }
    expect(internedBuckets()).toBeLessThan(before + 1000)
  })
})
