/** The CTC loss against all alignments written out, where there are none, and its gradient. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const [frames, batch, classes] = [4, 5, 3]
const logits = T.fromArray(flat(random.normal(random.key(3), [frames, batch, classes])), [frames, batch, classes])
const logp = nn.logSoftmax(logits) as Tensor
const targets = T.tensor([
  [1, 2, -7],
  [1, 1, 99],
  [2, 1, 2],
  [5, 5, 5],
  [1, 1, 1],
])
const inputLengths = T.tensor([4, 3, 4, 2, 4])
const targetLengths = T.tensor([2, 2, 3, 0, 3])

/** What a path of classes says: repetitions once, blanks not at all. */
const spelt = (path: readonly number[], blank: number): string =>
  path.filter((c, i) => c !== blank && c !== path[i - 1]).join()

/** Minus the logarithm of the sum of the probabilities of all paths that spell the target. */
const enumerated = (n: number, labels: readonly number[], length: number, blank: number): number => {
  const values = flat(logp)
  const at = (t: number, c: number): number => values[(t * batch + n) * classes + c]!
  let total = 0
  for (let code = 0; code < classes ** length; code++) {
    const path = Array.from({ length }, (_, t) => Math.floor(code / classes ** t) % classes)
    if (spelt(path, blank) === labels.join()) total += Math.exp(path.reduce((sum, c, t) => sum + at(t, c), 0))
  }
  return -Math.log(total)
}

const labelsOf = (n: number): readonly number[] => flat(targets).slice(3 * n, 3 * n + flat(targetLengths)[n]!)
const wanted = Array.from({ length: batch }, (_, n) => enumerated(n, labelsOf(n), flat(inputLengths)[n]!, 0))
const call = (x: Tensor, options: nn.CtcOptions = {}): Tensor =>
  nn.ctcLoss(x, targets, inputLengths, targetLengths, options) as Tensor

describe('ctcLoss', () => {
  test('is the sum over all alignments, Infinity where there are none', () => {
    // Five frames would be needed for 1, 1, 1.
    expect(wanted[4]).toBe(Number.POSITIVE_INFINITY)
    near(call(logp, { reduction: 'none' }), wanted)
  })

  test('reductions, and zeroInfinity', () => {
    const finite = wanted.map((v) => (Number.isFinite(v) ? v : 0))
    near(call(logp, { reduction: 'none', zeroInfinity: true }), finite)
    near(call(logp, { reduction: 'sum', zeroInfinity: true }), [finite.reduce((a, b) => a + b)])
    const each = finite.map((v, n) => v / Math.max(1, flat(targetLengths)[n]!))
    near(call(logp, { zeroInfinity: true }), [each.reduce((a, b) => a + b) / batch])
    expect(flat(call(logp))).toEqual([Number.POSITIVE_INFINITY])
  })

  test('another blank', () => {
    const own = T.tensor([[0, 1]])
    const got = nn.ctcLoss(T.narrow(logp, 0, 1, { axis: 1 }), own, T.tensor([4]), T.tensor([2]), {
      blank: 2,
      reduction: 'sum',
    })
    near(got as Tensor, [enumerated(0, [0, 1], 4, 2)])
  })

  test('one sequence, no labels at all, no frames', () => {
    const one = nn.ctcLoss(T.select(logp, 2, { axis: 1 }), T.tensor([2, 1, 2]), T.tensor(4), T.tensor(3), {
      reduction: 'none',
    })
    expect(one.shape).toEqual([])
    near(one as Tensor, [wanted[2]!])
    const x = T.narrow(logp, 0, 1, { axis: 1 }) as Tensor
    const blanks = nn.ctcLoss(x, T.zeros([1, 0], { dtype: 'i32' }), T.tensor([4]), T.tensor([0]), { reduction: 'sum' })
    near(blanks as Tensor, [enumerated(0, [], 4, 0)])
    const none = { reduction: 'none' } as const
    const still = nn.ctcLoss(logp, targets, T.fullLike(inputLengths, 0), targetLengths, none)
    expect(flat(still as Tensor).map((v) => v + 0)).toEqual([Infinity, Infinity, Infinity, 0, Infinity])
    const empty = nn.ctcLoss(T.zeros([0, 1, 3]), T.tensor([[1]]), T.tensor([0]), T.tensor([0]), none)
    expect(flat(empty as Tensor).map((v) => v + 0)).toEqual([0])
    expect(flat(nn.ctcLoss(T.zeros([2, 0, 3]), T.zeros([0, 1], { dtype: 'i32' }), ...noLengths) as Tensor)).toEqual([
      Number.NaN,
    ])
  })
  const noLengths = [T.zeros([0], { dtype: 'i32' }), T.zeros([0], { dtype: 'i32' })] as const

  test('gradients are those of finite differences, and finite where nothing is possible', () => {
    checkGrad((x: Tensor) => call(nn.logSoftmax(x), { zeroInfinity: true }), [logits as Tensor])
    for (const zeroInfinity of [true, false]) {
      const slopes = flat(
        T.grad((x: Tensor) => call(nn.logSoftmax(x), { zeroInfinity }) as Tensor<readonly []>)(logits),
      )
      expect(slopes.every(Number.isFinite)).toBe(true)
      // The fifth sequence is impossible, the fourth has no third frame.
      const own = (t: number, n: number): readonly number[] =>
        slopes.slice((t * batch + n) * classes, (t * batch + n + 1) * classes).map((v) => v + 0)
      for (const [t, n] of [
        [0, 4],
        [3, 4],
        [2, 3],
      ] as const)
        expect(own(t, n).map(Math.abs)).toEqual([0, 0, 0])
      expect(own(0, 0).some((v) => v !== 0)).toBe(true)
    }
  })

  test('impossible classes in the log-probabilities do not make the gradient NaN', () => {
    const holes = T.where(T.equal(T.arange(3), 1), Number.NEGATIVE_INFINITY, logp) as Tensor
    const slopes = T.grad((x: Tensor) => T.sum(call(x, { reduction: 'none' })) as Tensor<readonly []>)(holes)
    expect(flat(call(holes, { reduction: 'none' })).slice(0, 3)).toEqual([Infinity, Infinity, Infinity])
    expect(flat(slopes).some(Number.isNaN)).toBe(false)
  })

  test('a label that is no class', () => {
    const logp = nn.logSoftmax(T.zeros([2, 1, 3]))
    for (const label of [3, -1])
      expect(() => T.reference(nn.ctcLoss(logp, T.tensor([[label]]), T.tensor([2]), T.tensor([1])))).toThrow(
        `nn.ctcLoss: index ${label}`,
      )
    // What stands past the length is padding.
    expect(() => T.reference(nn.ctcLoss(logp, T.tensor([[1, -1]]), T.tensor([2]), T.tensor([1])))).not.toThrow()
  })

  test('a batch of batches', () => {
    checkVmap((x: Tensor) => call(x, { reduction: 'none', zeroInfinity: true }), [T.stack([logp, logits]) as Tensor])
    const one = (x: Tensor, y: Tensor, frames: Tensor, labels: Tensor): Tensor =>
      nn.ctcLoss(x, y, frames, labels, { reduction: 'none' }) as Tensor
    const each = T.vmap(one, { inAxes: [1, 0, 0, 0] })(logp, targets, inputLengths, targetLengths) as Tensor
    near(each, wanted)
  })

  test.each([
    [() => nn.ctcLoss(T.zeros([3]), targets, inputLengths, targetLengths), 'log-probabilities of rank 1'],
    [() => nn.ctcLoss(logp, T.zeros([4, 3], { dtype: 'i32' }), inputLengths, targetLengths), 'targets of shape [4, 3]'],
    [() => nn.ctcLoss(logp, T.zeros([20], { dtype: 'i32' }), inputLengths, targetLengths), 'targets of shape [20]'],
    [() => nn.ctcLoss(logp, targets, T.tensor([4]), targetLengths), 'inputLengths has shape [1], not [5]'],
    [() => nn.ctcLoss(logp, targets, inputLengths, T.zeros([5])), 'targetLengths is f32, not integers'],
    [() => call(logp, { blank: 3 }), 'the blank 3 is none of 3 classes'],
  ] as const)('mistake %# is named', (f, reason) => {
    const mistake = mistakeOf(f() as Tensor)
    expect(mistake.op).toBe('nn.ctcLoss')
    expect(mistake.reason).toContain(reason)
  })
})
