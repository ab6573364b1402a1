/** Conditions that reach no result: said once a line, with the line, by whatever compiles them. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedDevice } from '../device.ts'

const printed: string[] = []
beforeEach(() => {
  printed.length = 0
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
})
afterEach(() => vi.restoreAllMocks())

type X = T.Tensor
const adam = optim.adam(optim.cosineDecay(0.1, { steps: 3 }), { clipNorm: 1 })
const line = T.spec([4])
const scalar = T.spec([])

/** What is said of `f`, by the names of the functions that were called. */
const said = (f: (...xs: X[]) => unknown, specs: readonly T.Spec[] = [line]): readonly string[] =>
  T.orThrow(T.compile(f as (...xs: readonly X[]) => X, specs)).warnings.map(({ message }) => message.split(' ')[0]!)

/** The number of the line that calls this. */
const here = (): number => Number(/warnings\.test\.ts:(\d+):/.exec(new Error().stack!.split('\n')[2]!)![1])

describe('a condition that reaches no result', () => {
  test('of an if or ?: is told with its line and the way out', () => {
    const at = here() + 1
    const abs = (x: X): X => (T.greater(x, 0) ? x : T.neg(x))
    const { warnings } = T.orThrow(T.compile(abs, [scalar]))
    expect(warnings).toEqual([
      {
        tag: 'UsageError',
        message:
          'T.greater gives a tensor that reaches no result: nothing uses it, and an if or ?: on it always takes its first branch',
        hint: expect.stringMatching(/T\.where.*T\.cond/),
        site: { file: expect.stringMatching(/warnings\.test\.ts$/), line: at, column: expect.any(Number) },
      },
    ])
    expect(printed.join('')).toContain(`tensorloom: warning: ${T.showError(warnings[0]!)}\n`)
  })

  test('is told by every compiler, printed once', async () => {
    const abs = (x: X): X => (T.less(x, 0) ? T.neg(x) : x)
    const jitted = T.jit(abs)
    expect(Array.from((await jitted(T.tensor(-3.5))).data)).toEqual([3.5])
    await jitted(T.tensor([-3.5, 2]))
    const { program } = await T.compileOn(await sharedDevice(), abs, [scalar])
    expect(program.warnings).toHaveLength(1)
    expect(printed.filter((text) => text.includes('T.less'))).toHaveLength(1)
  })

  const inVain: Readonly<Record<string, readonly [(...xs: X[]) => unknown, readonly string[]]>> = {
    'the last of several': [(x) => (T.any(T.greater(x, 0)) ? x : T.neg(x)), ['T.any']],
    'on lines of their own': [
      (x) => {
        const positive = T.greater(x, 0)
        const small = T.less(x, 1)
        const both = T.logicalAnd(positive, small)
        return both ? x : T.neg(x)
      },
      ['T.logicalAnd'],
    ],
    'two on two lines': [
      (x) => {
        const a = T.greater(x, 0) ? x : T.neg(x)
        return T.isnan(a) ? x : a
      },
      ['T.greater', 'T.isnan'],
    ],
    'of constants': [(x) => (T.equal(T.tensor(1), T.tensor(2)) ? x : T.neg(x)), ['T.equal']],
    'curried, through pipe and map': [
      (x) => (T.pipe(x, T.greater(0)) ? [x].map(T.isfinite).map(() => x) : x),
      ['T.greater'],
    ],
    'in what grad differentiates': [
      (x) => T.grad((y: X) => (T.greater(y, 0) ? T.sum(y) : T.sum(T.neg(y))) as T.Tensor<readonly []>)(x),
      ['T.greater'],
    ],
    'in what vmap maps': [(x) => T.vmap((y: X) => (T.greater(y, 0) ? y : T.neg(y)))(x), ['T.greater']],
    'in the body of a scan': [
      (x) => T.scan((c: X, y: X) => [(T.greater(y, 0) ? T.add(c, y) : c) as X, []] as const, T.tensor(0.5) as X, x)[0],
      ['T.greater'],
    ],
    'in a branch': [
      (x) =>
        T.cond(
          T.any(T.less(x, 0)),
          (y: X) => (T.greater(y, 0) ? y : T.neg(y)),
          (y: X) => y,
          x,
        ),
      ['T.greater'],
    ],
  }
  test.each(Object.entries(inVain))('%s', (_, [f, names]) => {
    expect(said(f)).toEqual(names)
  })
})

describe('nothing is said of', () => {
  const used: Readonly<Record<string, (x: X, y: X) => unknown>> = {
    'what chooses': (x) => T.where(T.greater(x, 0), x, T.neg(x)),
    'a result': (x, y) => ({ same: T.equal(x, y), sum: T.add(x, y) }),
    'a branch and a loop': (x, y) =>
      T.cond(
        T.any(T.less(x, 0)),
        () =>
          T.whileLoop(
            (c: X) => T.any(T.less(c, 10)),
            (c: X) => T.add(c, 1),
            y,
            { maxIterations: 4 },
          ),
        () => y,
      ),
    'a loss whose gradient does not need it': (x, y) =>
      T.grad((p: X) => T.sum(T.where(T.greater(p, 0), T.mul(p, y), 0)) as T.Tensor<readonly []>)(x),
    'what is asked for its value': (x) => (T.reference(T.any(T.greater(T.tensor([1, 2]), 1))).data[0] ? x : T.neg(x)),
    'our own functions': (x, y) => [
      nn.elu(x),
      nn.gelu(x),
      nn.huberLoss(x, y),
      nn.dropout(x, random.key(0)),
      nn.binaryCrossEntropyWithLogits(x, y),
      nn.scaledDotProductAttention(T.reshape(x, [2, 2]), T.reshape(y, [2, 2]), T.reshape(y, [2, 2]), { causal: true }),
      random.truncatedNormal(random.key(1), [4], { low: -1, high: 1 }),
      random.permutation(random.key(2), 4),
      adam.update(x, y, adam.init(x)),
      T.sort(x),
      T.unique(x, { size: 2 }),
      T.quantile(x, 0.5),
      T.fft([x, y]),
      T.linspace(0, 1, 4),
      T.inv(T.add(T.reshape(x, [2, 2]), T.eye(2))),
      T.hessian((p: X) => T.sum(nn.softplus(p)) as T.Tensor<readonly []>)(x),
    ],
  }
  test.each(Object.entries(used))('%s', (_, f) => {
    expect(said(f as never, [line, line])).toEqual([])
    expect(printed).toEqual([])
  })

  test('functions outside of a program', () => {
    expect(T.greater(T.tensor(1), 0) ? 1 : 2).toBe(1)
    expect(said((x) => T.neg(x))).toEqual([])
  })

  test('the programs of the examples', async () => {
    const { start, train, predict } = await import('../../examples/03-mnist/programs.ts')
    for (const program of [start, train, predict]) expect(T.orThrow(program).warnings).toEqual([])
    expect(printed).toEqual([])
  })
})

describe('nothing is said of', () => {
  const hits = (x: X): X => T.mean(T.cast(T.equal(T.argmax(x), 1), 'f32'))
  const mask = () => T.greater(T.tril(T.ones([4, 4])), 0)
  const quiet: Readonly<Record<string, (x: X) => unknown>> = {
    'a figure that this program does not want': (x) => {
      const forward = (y: X) => ({ loss: T.sum(T.square(y)), accuracy: hits(y) })
      return T.grad((y: X) => forward(y).loss)(x)
    },
    'a choice that is not taken': (x) => {
      const clipped = T.where(T.greater(x, 0), x, 0)
      return clipped === x ? clipped : T.neg(x)
    },
    'truth values that are moved, cast or shown': (x) => {
      const [first, second] = [0, 1].map((i) => T.at(mask(), i))
      T.cast(x, 'bool')
      return first === second ? x : T.where(first!, x, 0)
    },
    'a list of them': (x) => {
      const both = T.stack([T.greater(x, 0), T.less(x, 1)])
      return both === x ? both : x
    },
  }
  test.each(Object.entries(quiet))('%s', (_, f) => {
    expect(said(f)).toEqual([])
  })
})
