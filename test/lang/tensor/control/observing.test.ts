/** T.debug and T.checkNumerics where programs run: on the interpreter and on the device they tell the same. */
import { afterEach, expect, test, vi } from 'vitest'
import * as T from '../../../../src/index.ts'
import { sharedDevice } from '../../../device.ts'

const printed = (): string => {
  const calls = (process.stderr.write as unknown as { readonly mock: { readonly calls: readonly [string][] } }).mock
    .calls
  return calls.map(([text]) => text).join('')
}

afterEach(() => {
  vi.restoreAllMocks()
})

test('values are printed under their labels, as PyTorch prints them', async () => {
  const device = await sharedDevice()
  const f = (x: T.Tensor): T.Tensor => T.sum(T.debug(T.mul(x, 2), 'doubled'))
  const program = await T.compileOn(device, f, [T.spec([2, 2])])
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const out = await program.run([1, 2, 3, 4.5])
  expect([...(await out.read())]).toEqual([21])
  const text = 'doubled: f32[2, 2]\ntensor([[2., 4.],\n        [6., 9.]])\n'
  expect(printed()).toBe(text)
  T.reference(
    f(
      T.tensor([
        [1, 2],
        [3, 4.5],
      ]),
    ),
  )
  expect(printed()).toBe(text + text)
})

test('numbers that are not finite reject the run, on both sides alike', async () => {
  const f = (x: T.Tensor): T.Tensor => T.exp(T.checkNumerics(T.log(x), 'log x'))
  const program = await T.compileOn(await sharedDevice(), f, [T.spec([2, 2])], { name: 'logs' })
  expect([...(await (await program.run([1, 1, 1, 1])).read())]).toEqual([1, 1, 1, 1])
  const wrong = await program.run([1, 0, -1, 0]).catch((e: T.TensorloomError) => e)
  const same = ((): unknown => {
    try {
      return T.reference(
        f(
          T.tensor([
            [1, 0],
            [-1.5, 0],
          ]),
        ),
      )
    } catch (e) {
      return e
    }
  })()
  for (const error of [wrong, same]) {
    expect(error).toMatchObject({
      error: {
        tag: 'NumericsError',
        label: 'log x',
        nans: 1,
        infinities: 2,
        position: [0, 1],
        operand: { shape: [2, 2] },
      },
    })
    expect((error as Error).message).toMatch(
      /^T\.checkNumerics: log x, f32\[2, 2\], holds 1 NaN and 2 infinities, the first at position \[0, 1\]\n {2}at .*observing\.test\.ts:\d+:\d+\n {2}hint: /,
    )
  }
  expect([...(await (await program.run([1, 1, 1, 1])).read())]).toEqual([1, 1, 1, 1])
})

test('gradients are checked too, and name the line of the value', async () => {
  const f = (x: T.Tensor): T.Tensor => T.sum(T.sqrt(T.checkNumerics(x, 'x')))
  const program = await T.compileOn(await sharedDevice(), T.grad(f as never) as never, [T.spec([2])])
  await expect(program.run([4, 0] as never)).rejects.toThrow(
    /gradient of x, f32\[2\], holds 1 infinity, the first at position \[1\]\n {2}at .*observing\.test\.ts/,
  )
})

test('integers pass, labels are texts, and both stand in a pipe', () => {
  const whole = T.tensor([1, 2])
  expect(T.checkNumerics(whole)).toBe(whole)
  expect(() => T.debug(whole, 3 as never)).toThrow(
    "T.debug: the label is 3, not a string\n  hint: write T.debug(x, 'hidden')",
  )
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const y = T.pipe(T.tensor([0.5]), T.debug('half'), T.checkNumerics('half'), T.neg)
  expect([...T.reference(y).data]).toEqual([-0.5])
  expect(printed()).toBe('half: f32[1]\ntensor([0.5000])\n')
})
