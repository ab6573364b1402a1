/** Creation, the promotion of operands, and a first course's first lesson, with numbers known beforehand. */
import { describe, expect, test } from 'vitest'
import type { DType } from '../../../../src/lang/dtype.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat, mistakeOf, nested } from '../run.ts'

describe('creation', () => {
  test.each([
    [
      'whole numbers',
      T.tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      'i32',
      [3, 2],
    ],
    ['a fraction makes floats', T.tensor([1, 2.5]), 'f32', [2]],
    ['booleans', T.tensor([true, false]), 'bool', [2]],
    ['booleans among numbers count as numbers', T.tensor([true, 2] as never), 'i32', [2]],
    ['nothing', T.tensor([]), 'f32', [0]],
    ['a scalar', T.tensor(3), 'i32', []],
    ["a dtype of one's own", T.tensor([1, 2], { dtype: 'f32' }), 'f32', [2]],
    ['a typed array', T.fromArray(Uint32Array.of(1, 2, 3, 4), [2, 2]), 'u32', [2, 2]],
    ['bytes', T.fromArray(Uint8Array.of(1, 2), [2]), 'u8', [2]],
    ['signed bytes', T.fromArray(Int8Array.of(1, 2), [2]), 'i8', [2]],
    ['shorts', T.fromArray(Int16Array.of(1, 2), [2]), 'i32', [2]],
    ['zeros', T.zeros([2, 3, 4]), 'f32', [2, 3, 4]],
    ['a range of fractions', T.arange(0, 1, 0.25), 'f32', [4]],
    ['a range', T.arange(42), 'i32', [42]],
    ['like another', T.onesLike(T.tensor([1, 2])), 'i32', [2]],
    ['like another, of a dtype', T.zerosLike(T.tensor([1, 2]), { dtype: 'f32' }), 'f32', [2]],
  ] as readonly (readonly [string, Tensor, DType, readonly number[]])[])('%s', (_, x, dtype, shape) => {
    expect([x.dtype, x.shape]).toEqual([dtype, shape])
  })

  test.each([
    ['arange', T.arange(2, 11, 3), [2, 5, 8]],
    ['arange backwards', T.arange(3, 0, -1), [3, 2, 1]],
    ['arange of nothing', T.arange(0), []],
    ['linspace', T.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1]],
    ['linspace of one', T.linspace(3, 9, 1), [3]],
    ['logspace', T.logspace(0, 2, 3), [1, 10, 100]],
    [
      'eye',
      T.eye(2, { columns: 3 }),
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ],
    ['full', T.full([2], 7), [7, 7]],
    [
      'oneHot',
      T.oneHot(T.tensor([2, 0]), 3),
      [
        [0, 0, 1],
        [1, 0, 0],
      ],
    ],
    [
      'triMask',
      T.triMask(3, { diagonal: -1 }),
      [
        [0, 0, 0],
        [1, 0, 0],
        [1, 1, 0],
      ],
    ],
    [
      'meshgrid',
      T.meshgrid([T.tensor([1, 2]), T.tensor([3, 4, 5])])[1]!,
      [
        [3, 4, 5],
        [3, 4, 5],
      ],
    ],
    [
      'meshgrid of pictures',
      T.meshgrid([T.tensor([1, 2]), T.tensor([3, 4, 5])], { indexing: 'xy' })[0]!,
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    ],
    ['bf16 is rounded on entry', T.tensor([1.001, 257], { dtype: 'bf16' }), [1, 256]],
    ['a number beside bytes is one', T.add(T.tensor([100], { dtype: 'i8' }), 100), [-56]],
    ['a fraction beside bytes makes floats', T.add(T.tensor([100], { dtype: 'i8' }), 0.5), [100.5]],
    ['bytes add up in i32', T.sum(T.full([300], 100, { dtype: 'u8' })), 30000],
    ['a mean of many halves', T.mean(T.full([70000], 2, { dtype: 'f16' })), 2],
    ['fractions are cut', T.tensor([1.9, -1.9], { dtype: 'i32' }), [1, -1]],
    ['f32 is rounded on entry', T.tensor([0.1]), [Math.fround(0.1)]],
  ] as readonly (readonly [string, Tensor, unknown])[])('%s', (_, x, expected) => {
    expect(nested(x)).toEqual(expected)
  })

  test('a long range counts on the device to the same numbers', () => {
    expect(flat(T.arange(5, 305, 3))).toEqual(Array.from({ length: 100 }, (_, i) => 5 + 3 * i))
    expect(T.linspace(0, 99, 100).shape).toEqual([100])
    expect(flat(T.linspace(0, 99, 100))).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('data is copied on entry', () => {
    const array = Float32Array.of(1, 2)
    const x = T.fromArray(array, [2])
    array[0] = 9
    expect(flat(x)).toEqual([1, 2])
  })
})

describe('promotion', () => {
  const of = (dtype: DType): Tensor => T.ones([2], { dtype }) as Tensor
  test.each([
    ['f32', 'i32', 'f32'],
    ['i32', 'u32', 'i32'],
    ['bool', 'i32', 'i32'],
    ['bool', 'f32', 'f32'],
    ['f16', 'i32', 'f16'],
    ['f16', 'f32', 'f32'],
    ['u8', 'i8', 'i32'],
    ['u8', 'u32', 'u32'],
    ['i8', 'bf16', 'bf16'],
    ['f16', 'bf16', 'f32'],
  ] as const)('%s and %s give %s', (a, b, expected) => {
    expect((T.mul(of(a), of(b) as never) as Tensor).dtype).toBe(expected)
    expect((T.mul(of(b), of(a) as never) as Tensor).dtype).toBe(expected)
  })

  test.each([
    ['f32', 2, 'f32'],
    ['i32', 2, 'i32'],
    ['u32', 2, 'u32'],
    ['f16', 0.5, 'f16'],
    ['i32', 0.5, 'f32'],
    ['bool', 2, 'i32'],
    ['i32', true, 'i32'],
  ] as const)('%s and the number %s give %s', (a, n, expected) => {
    expect((T.mul(of(a), n as never) as Tensor).dtype).toBe(expected)
  })

  test('quotients and functions of integers are floats', () => {
    expect((T.div(of('i32'), of('i32')) as Tensor).dtype).toBe('f32')
    expect(T.sqrt(of('i32')).dtype).toBe('f32')
    expect(T.floor(of('i32')).dtype).toBe('i32')
    expect(T.sum(of('bool')).dtype).toBe('i32')
  })
})

describe('the first lesson', () => {
  const [x, y] = [T.tensor([3, 2], { dtype: 'f32' }), T.tensor([4, 1], { dtype: 'f32' })]
  test.each([
    ['x + y', T.add(x, y), [7, 3]],
    ['x - y', T.sub(x, y), [-1, 1]],
    ['x * y', T.mul(x, y), [12, 2]],
    ['x / y', T.div(x, y), [0.75, 2]],
    ['whole x / y', T.div(T.tensor([3, 2]), T.tensor([4, 1])), [0.75, 2]],
    ['x ** 2', T.pow(x, 2), [9, 4]],
    ['6, -1', T.reshape(T.arange(42), [6, -1]).shape.length, 2],
  ] as const)('%s', (_, got, expected) => {
    expect(typeof got === 'number' ? got : nested(got as Tensor)).toEqual(expected)
  })

  test('exp and log', () => {
    const e = flat(T.exp(x))
    expect(e[0]).toBeCloseTo(20.0855, 4)
    expect(e[1]).toBeCloseTo(7.3891, 4)
    expect(flat(T.log(T.exp(x))).map((v) => Math.round(v * 1e5) / 1e5)).toEqual([3, 2])
  })

  test.each([
    [0, [4, 3, 4]],
    [1, [2, 6, 4]],
    [2, [2, 3, 8]],
  ])('cat along %i', (axis, shape) => {
    const joined = T.concat([T.zeros([2, 3, 4]), T.ones([2, 3, 4])] as readonly Tensor[], { axis })
    expect(joined.shape).toEqual(shape)
    expect(flat(T.sum(joined))).toEqual([24])
    expect(flat(T.narrow(joined, 0, [2, 3, 4][axis]!, { axis })).every((v) => v === 0)).toBe(true)
  })
})

describe('numbers that do not fit', () => {
  const reason = (x: Tensor): string => mistakeOf(x).reason
  test.each([
    [T.tensor([Number.NaN], { dtype: 'i32' }), 'NaN does not fit i32'],
    [T.tensor([1e10], { dtype: 'i32' }), '10000000000 does not fit i32'],
    [T.tensor([-1], { dtype: 'u32' }), '-1 does not fit u32'],
    [T.full([1], 128, { dtype: 'i8' }), '128 does not fit i8'],
    [T.fullLike(T.tensor([1]), 1e10), '10000000000 does not fit i32'],
    [T.fromArray([1, 300], [2], { dtype: 'u8' }), 'element 1 is 300, which does not fit u8'],
    [T.fromArray(['5'] as never, [1]), "element 0 is '5', not a number"],
    [T.fromArray([1n] as never, [1]), 'element 0 is 1n, not a number'],
    [T.add(T.tensor([1]), 1e12), '1000000000000 does not fit i32'],
    [T.add(T.tensor([1], { dtype: 'u8' }), 300), '300 does not fit u8'],
  ] as readonly (readonly [Tensor, string])[])('%#', (x, text) => {
    expect(reason(x)).toBe(text)
  })
  test('a typed array says its dtype', () => {
    expect(T.tensor(Float32Array.of(1, 2) as never).dtype).toBe('f32')
  })
  test('nobody can change a shape', () => {
    const shape = [2, 3]
    const x = T.zeros(shape)
    shape[0] = 7
    expect(x.shape).toEqual([2, 3])
    expect(() => ((x.shape as number[])[0] = 7)).toThrow(TypeError)
  })
})
