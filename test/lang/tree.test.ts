import { describe, expect, test } from 'vitest'
import { TensorloomError } from '../../src/lang/errors.ts'
import { flattenTree, mapTree, sameTree, unflattenTree } from '../../src/lang/tree.ts'

const isText = (x: unknown): x is string => typeof x === 'string'

describe('trees', () => {
  test('leaves come in sorted key order with their paths', () => {
    const flat = flattenTree([{ w: 'b', b: 'a', 'odd key': ['c'] }, 'd'], isText)
    expect(flat.leaves).toEqual(['a', 'c', 'b', 'd'])
    expect(flat.paths).toEqual(['[0].b', '[0]["odd key"][0]', '[0].w', '[1]'])
    expect(flat.shape).toEqual({ list: [{ record: { b: 0, 'odd key': { list: [1] }, w: 2 } }, 3] })
  })

  test.each([['a'], [[]], [{}], [[['x'], { y: 'z' }]], [{ a: { b: { c: ['1', '2'] } }, d: '3' }]])(
    '%j goes apart and back',
    (tree) => {
      const { leaves, shape } = flattenTree(tree, isText)
      expect(unflattenTree(shape, leaves)).toEqual(tree)
    },
  )

  test.each([
    [{ a: [1] }, 'a[0] is the number 1'],
    [['x', new Date(0)], '[1] is an object of class Date'],
    [[() => 'x'], '[0] is the function () => '],
  ])('%j is refused with its path', (tree, message) => {
    try {
      flattenTree(tree, isText)
      expect.unreachable()
    } catch (e) {
      expect(e).toBeInstanceOf(TensorloomError)
      expect((e as TensorloomError).error.tag).toBe('UsageError')
      expect((e as TensorloomError).message).toContain(message)
    }
  })

  test.each([[null], [undefined], [{ a: undefined, b: ['x', null], c: [undefined] }]])('%j has empty parts', (tree) => {
    const { leaves, shape } = flattenTree(tree, isText)
    expect(leaves.length).toBe(tree ? 1 : 0)
    expect(unflattenTree(shape, leaves)).toStrictEqual(tree)
  })

  test('an empty part is as good as none, and is no leaf', () => {
    const shape = (t: unknown) => flattenTree(t, isText).shape
    for (const a of [{ w: 'x' }, { w: 'x', b: null }, { b: undefined, w: 'x' }]) {
      expect(sameTree(shape(a), shape({ w: 'y', b: undefined }))).toBe(true)
      expect(sameTree(shape({ w: 'y', b: undefined }), shape(a))).toBe(true)
      expect(sameTree(shape(a), shape({ w: 'x', b: 'y' }))).toBe(false)
      expect(sameTree(shape({ b: 'x', w: 'y' }), shape(a))).toBe(false)
    }
    for (const a of [[], {}, 'x', [null]]) expect(sameTree(shape(a), shape(null))).toBe(false)
  })

  test('trees go back in the order they were written', () => {
    const tree = { w: 'x', b: { z: 'y', a: 'q' } }
    const { leaves, shape } = flattenTree(tree, isText)
    expect(leaves).toEqual(['q', 'y', 'x'])
    expect(JSON.stringify(unflattenTree(shape, leaves))).toBe(JSON.stringify(tree))
  })

  test('one that holds itself ends in an error, not in the stack', () => {
    const tree: Record<string, unknown> = { w: 'x' }
    tree['again'] = [tree]
    expect(() => flattenTree(tree, isText)).toThrow(
      /^the tree is more than 500 levels deep at again\[0\]\.again.*\n {2}hint: does something in it hold itself\?$/,
    )
  })

  test('a function in the place of the tree is told where the tree stands', () => {
    const swapped = mapTree as unknown as (f: unknown, tree: unknown) => unknown
    expect(() => swapped((x: unknown) => x, { w: 'x' })).toThrow(
      'T.mapTree: the tree is a function\n  hint: write T.mapTree(tree, f)',
    )
  })

  test('structures compare by keys and lengths, not by the order keys were written in', () => {
    const shape = (t: unknown) => flattenTree(t, isText).shape
    expect(sameTree(shape({ a: 'x', b: ['y'] }), shape({ b: ['q'], a: 'r' }))).toBe(true)
    expect(sameTree(shape({ a: 'x' }), shape({ b: 'x' }))).toBe(false)
    expect(sameTree(shape(['x']), shape(['x', 'y']))).toBe(false)
    expect(sameTree(shape([]), shape({}))).toBe(false)
  })
})
