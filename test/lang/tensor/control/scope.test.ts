/** Named parts of a model in errors of every kind; they cost nothing. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import * as nn from '../../../../src/nn/index.ts'
import { sharedProcessor } from '../../../device.ts'

const bad = (x: Tensor): Tensor => T.add(x, T.ones([7])) as Tensor
const textOf = (f: (x: Tensor) => unknown, options: T.CompileOptions = {}): string => {
  const result = T.compile(f as never, [T.spec([3])] as never, options)
  return result._tag === 'Left' ? T.showError(result.left) : 'no error'
}

describe('an error in a scope', () => {
  test('names the path of it, of each mistake its own', () => {
    const text = textOf((x) => {
      const encoder = T.scope('encoder', () => [bad(x), T.scope('mix', () => bad(x))])
      return [encoder, bad(x)]
    })
    const [first, second, third] = text.split(/\n\d\. /).slice(1)
    expect(first).toMatch(/ {2}in scope encoder\n/)
    expect(second).toMatch(/ {2}in scope encoder\/mix\n/)
    expect(third).not.toContain('in scope')
  })

  test('of a layer, of a loop, of a gradient', () => {
    const layer = (x: Tensor): Tensor => nn.linear(x, { weight: T.ones([2, 5]) } as never) as Tensor
    expect(textOf((x) => T.scope('head', () => layer(x)))).toMatch(/nn\.linear[\s\S]*in scope head/)
    const loop = (x: Tensor): unknown => T.foriLoop(0, 3, (_, c: Tensor) => T.scope('turn', () => bad(c)), x)
    expect(textOf(loop)).toContain('in scope turn')
    const loss = (x: Tensor): Tensor => T.scope('loss', () => T.sum(bad(x)) as Tensor)
    expect(textOf(T.grad(loss as never))).toContain('in scope loss')
  })

  test('that is thrown, with its line and only the innermost path', () => {
    const wrong = (): unknown => T.scope('a', () => T.scope('b', () => T.sum(T.ones([2]), { dim: 1 } as never)))
    expect(wrong).toThrow("T.sum: there is no option 'dim'\n  in scope a/b\n  hint: it is called axis here")
    try {
      wrong()
    } catch (e) {
      const { error, stack } = e as T.TensorloomError
      expect(error.tag).toBe('UsageError')
      expect(stack).toContain('scope.test.ts')
    }
  })

  test('that shows late', async () => {
    const take = (x: Tensor, i: Tensor): Tensor => T.scope('lookup', () => T.take(x, i) as Tensor)
    const late = T.compile(((x: Tensor) => take(x, T.tensor([5]))) as never, [T.spec([3])] as never)
    expect(late._tag === 'Left' && T.showError(late.left)).toContain('in scope lookup')
    const program = await T.compileOn(await sharedProcessor(), take, [T.spec([3]), T.spec([1], 'i32')])
    await expect(program.run(new Float32Array(3), Int32Array.of(9))).rejects.toThrow('in scope lookup')
  })

  test('is none of a scope that was left, by an error too', () => {
    expect(() =>
      T.scope('left', () => {
        throw new RangeError('mine')
      }),
    ).toThrow(new RangeError('mine'))
    expect(textOf(bad)).not.toContain('in scope')
  })
})

test('a scope is no part of the expression', () => {
  const x = T.ones([3])
  expect(T.scope('a', () => T.exp(x))).toBe(T.exp(x))
  expect(T.scope('a', () => 7)).toBe(7)
})

test('what it refuses', () => {
  expect(() => T.scope(3 as never, () => 1)).toThrow('T.scope: the name is 3, not a string')
  expect(() => T.scope('a', T.ones([1]) as never)).toThrow('T.scope: f is a tensor, not a function')
})
