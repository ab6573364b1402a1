/**
 * Testing an op of one's own with random tensors: `npx vitest run examples/10-property-tests.test.ts`.
 *
 * An op is three claims at once: its WGSL, its reference in JavaScript and its derivatives mean the same function. Each law
 * below checks two of them against one another. We write an activation and a kernel, each once right and once with a bug
 * that is easily made, and see the bug found and shrunk until it can be read. Needs fast-check; any test runner will do.
 */
import * as fc from 'fast-check'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as testing from 'tensorloom/testing'
import { expect, test } from 'vitest'

const seed = 42

/** Tensors of any shape with numbers from -4 to 4: no special values where derivatives are compared. */
const tensors = testing
  .arbShape({ maxRank: 2, maxElements: 12, empty: false })
  .chain((shape) => testing.arbTensor({ shape, dtype: 'f32' }, { specials: false }))

/** Vectors on both sides of one workgroup of 64, special values included. */
const vectors = fc.integer({ min: 1, max: 130 }).chain((n) => testing.arbTensor({ shape: [n], dtype: 'f32' }))

/** What a failing property says: its shrunk counterexample, and what is wrong there. */
const complaint = async (law: () => unknown): Promise<string> => {
  try {
    await law()
  } catch (e) {
    const { message, cause } = e as Error
    const shrunk = /Counterexample: (.*)/.exec(message)![1]!
    const text = [shrunk, ...(cause as Error).message.split('\n')].join('\n  ')
    console.log(text)
    return text
  }
  throw new Error('the bug was not found')
}

// ── An activation: softplus with a sharpness, log(1 + e^(s·x)) / s ────────────────────────────────────────────────────

const wgsl = (name: string): string => `
  fn ${name}(x: f32, s: f32) -> f32 {
    let t = s * x;
    return (max(t, 0) + log(1 + exp(-abs(t)))) / s;
  }`
const softplus = (x: number, s: number): number => Math.log1p(Math.exp(-Math.abs(s * x))) / s + Math.max(x * s, 0) / s

const smooth = T.elementwise({
  name: 'smooth',
  wgsl: wgsl('smooth'),
  reference: softplus,
  derivatives: ([x, s], y) => {
    const slope = T.sigmoid(T.mul(s!, x!))
    return [slope, T.div(T.sub(T.mul(x!, slope), y), s!)]
  },
  ulp: 64,
})

/** The same, but by a derivative in x that forgets the sharpness. */
const forgetful = T.elementwise({
  name: 'forgetful',
  wgsl: wgsl('forgetful'),
  reference: softplus,
  derivatives: ([x, s], y) => [T.sigmoid(x!), T.div(T.sub(T.mul(x!, T.sigmoid(T.mul(s!, x!))), y), s!)],
  ulp: 64,
})

test('its WGSL computes what its reference does', async () => {
  const law = testing.agreesWithReference((x: T.Tensor) => smooth(x, 1.5), [tensors], { seed })
  expect(await law).toBe(true)
})

test('its derivatives are those of its reference, to the second order', () => {
  const value = (x: T.Tensor) => T.sum(smooth(x, 1.5))
  fc.assert(
    fc.property(tensors, (x) => {
      testing.checkGrad(value, [x])
      testing.checkGrad(T.grad(value), [x])
      testing.checkGrad((s: T.Tensor) => smooth(2, s), [T.add(T.abs(x), 0.5)])
    }),
    { seed },
  )
})

test('a batch of it is each example by itself', () => {
  const rows = testing.arbTensor({ shape: [3, 2], dtype: 'f32' })
  const scaled = (x: T.Tensor) => pipe(smooth(x, 2), T.div(T.add(T.sum(x), 1)))
  fc.assert(
    fc.property(rows, (x) => testing.checkVmap(scaled, [x])),
    { seed },
  )
})

test('a wrong derivative is found, and shrinks to one number', async () => {
  const found = await complaint(() =>
    fc.assert(
      fc.property(tensors, (x) => testing.checkGrad((y: T.Tensor) => forgetful(y, 1.5), [x])),
      { seed },
    ),
  )
  // At 0 both derivatives are a half: a one is the simplest number that tells them apart. The result is
  // weighted at random, so that a rule which forgets its weight is found too.
  expect(found).toMatch(/^\[f32\[\] \[1\]\]/)
  expect(found).toMatch(/argument \[0\], element 0: the gradient is .*0\.685.*, finite differences give .*0\.766/)
})

// ── A kernel: the sum of each element and its right neighbour, in workgroups of 64 ────────────────────────────────────

const pairs = (name: string, workgroups: (n: number) => number) =>
  T.customKernel({
    name,
    inputs: ['x'],
    outputs: ['y'],
    infer: ([x]) => (x!.shape.length === 1 ? [x!] : 'x must be a vector'),
    wgsl: `
      fn ${name}(workgroup: u32, local: u32) {
        let i = workgroup * 64 + local;
        if i < x_size { y[i] = x[i] + x[min(i + 1, x_size - 1)]; }
      }`,
    workgroups: ([x]) => workgroups(x!.shape[0]!),
    reference: ([x]) => [x!.data.map((v, i) => v + (x!.data[i + 1] ?? v))],
  })

const pairSums = pairs('pairSums', (n) => Math.ceil(n / 64))
/** Nobody works on what fills no whole workgroup, beyond the first. */
const hasty = pairs('hasty', (n) => Math.max(1, Math.floor(n / 64)))

test('the kernel agrees with its reference at every length', async () => {
  expect(await testing.agreesWithReference((x: T.Tensor) => pairSums(x), [vectors], { seed })).toBe(true)
})

test('a missing workgroup is found, and shrinks to the first element beyond it', async () => {
  const found = await complaint(() => testing.agreesWithReference((x: T.Tensor) => hasty(x), [vectors], { seed }))
  // What was in memory is what is found there: whatever the numbers are, the element is this one.
  expect(found).toMatch(/^\[\[f32\[65\] /)
  expect(found).toMatch(/output 0 \(kernel\) at \[64\] is .*, not .*\n {2}graph\(%0: f32\[65\]\) \{/)
})
