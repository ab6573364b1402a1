/** Options of a wrong kind: every option of every public function refuses them, by the name of the function called. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isLeft } from '#fp/Either'
import * as T from '../../../src/index.ts'
import { showArgument } from '../../../src/lang/tensor/arguments.ts'
import type { KindName } from '../../../src/lang/tensor/option-kinds.ts'
import { nodeOf, type Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import { root } from '../../cli/command.ts'
import { entries, exportsOf } from '../../docs/exports.ts'

import { all, type Loose, type Options, own } from './option-calls.ts'
import { image, whole, x } from './option-operands.ts'

/** What is no option of any kind, and what is none of a kind. */
const never: readonly unknown[] = [{ odd: 1 }, null, () => 0]
const wrong: Readonly<Record<KindName, readonly unknown[]>> = {
  boolean: ['no', 0, x],
  value: ['2', true, x],
  number: ['2', Number.NaN, x],
  finite: ['a', Number.NaN, Number.POSITIVE_INFINITY],
  positive: ['2', 0, -1, Number.NaN],
  amount: ['x', -1, Number.NaN, Number.POSITIVE_INFINITY],
  limit: ['2', -1, Number.NaN],
  fraction: ['2', 2, -0.5, Number.NaN],
  decay: ['2', 1, -0.5, Number.NaN],
  integer: ['2', 1.5, Number.NaN, 2n],
  size: ['2', 1.5, -1],
  count: ['2', 1.5, 0],
  integers: ['2', 1.5, ['1', 1]],
  factors: ['2', [Number.NaN, 1]],
  padding: ['full', 1.5, ['1', 1]],
  text: [2, x],
  list: ['a', x],
  tensor: ['x', 2, [1, 2]],
  operand: ['0.5', true, [1, 2]],
  own: [],
}

/** Options that have to be given, by the kind that they are of. */
const right: Readonly<Partial<Record<KindName, unknown>>> = {
  size: 1,
  count: 1,
  integers: 1,
  number: 1,
  list: [],
  operand: 0.5,
  own: 0,
  tensor: x,
}

/** What a call says: the mistake that it throws or that its result carries. */
const saidOf = (call: () => unknown): string => {
  try {
    const made = [call()]
      .flat(3)
      .filter(T.isTensor)
      .map((t) => nodeOf(t as Tensor).type)
    const mistake = made.find(isLeft)
    return mistake && isLeft(mistake) ? T.showError(mistake.left) : 'nothing'
  } catch (e) {
    if (e instanceof T.TensorloomError) return e.message
    return `an error that is not ours: ${e}`
  }
}

const kindOf = (entry: string): KindName => entry.replace(/^must /, '') as KindName

/** Options without which nothing is asked, though each may be left out, or that go with the others. */
const together: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'nn.interpolate': { size: [2, 2] },
  'nn.fold': { outputSize: [2, 2] },
  'T.dim': { max: 4 },
}

const given = ({ name, kinds }: Options): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(
    Object.entries(kinds)
      .filter(([, entry]) => entry.startsWith('must '))
      .map(([k, entry]) => [k, right[kindOf(entry)] ?? 1]),
  ),
  ...together[name],
})

test('without options they work: what is refused below is refused for the option', () => {
  const said = all.map((o) => [o.name, saidOf(() => o.call(given(o)))])
  expect(said.filter(([, text]) => text !== 'nothing')).toEqual([])
})

test('every option of every function refuses what is not of its kind, by the name of the function', () => {
  const failures: string[] = []
  for (const options of all)
    for (const [k, entry] of Object.entries(options.kinds))
      for (const value of [...never, ...wrong[kindOf(entry)]]) {
        const said = saidOf(() => options.call({ ...given(options), [k]: value }))
        const name = options.name.replace(/^(data|io|train|testing)\./, '')
        if (!new RegExp(`(^|[ .])${name.replace(/^T\./, '')}(:| takes) ?`).test(said))
          failures.push(`${options.name} { ${k}: ${showArgument(value)} } says ${said.split('\n')[0]}`)
      }
  expect(failures).toEqual([])
})

test('what stands behind the arguments of vjp and linearize', () => {
  const at = T.tensor([1.5])
  for (const f of [T.vjp, T.linearize] as unknown as Loose[string][])
    expect(() => f(own, at, { hasAux: 'no' })).toThrow("the option 'hasAux' is 'no', not true or false")
})

/** What the rule is for, said in full. */
test.each([
  [() => T.std(x, { correction: 'a' as never }), "T.std: the option 'correction' is 'a', not a finite number"],
  [() => T.sum(x, { keepdims: 'no' as never }), "T.sum: the option 'keepdims' is 'no', not true or false"],
  [() => T.cumsum(x, { reverse: 'no' as never }), "T.cumsum: the option 'reverse' is 'no', not true or false"],
  [
    () => nn.crossEntropy(x, whole, { labelSmoothing: 2 }),
    "nn.crossEntropy: the option 'labelSmoothing' is 2, not a number from 0 to 1",
  ],
  [
    () => nn.layerNorm(x, {}, { eps: 'x' as never }),
    "nn.layerNorm: the option 'eps' is 'x', not a finite number of at least 0",
  ],
  [() => nn.layerNorm(x, {}, { eps: Number.NaN }), "nn.layerNorm: the option 'eps' is NaN"],
  [
    () => nn.conv2d(image, { weight: image }, { groups: '2' as never }),
    "nn.conv2d: the option 'groups' is '2', not a whole number above 0\n  hint: write { groups: 1 }",
  ],
])('says what is wrong and what is right %#', (call, message) => {
  expect(call).toThrow(message)
})

/** Those whose options need a device, a file or a definition: their own tests look at them. */
const elsewhere = [
  // It takes none, and says so.
  'bits',
  'vjp',
  'linearize',
  'openDevice',
  'compileOn',
  'profile',
  'put',
  'readCsv',
  'parseCsvTask',
  'readCsvTask',
  'readMnistTask',
  'elementwise',
  'customKernel',
  'agreesWithReference',
  'fit',
  'trainBytePairs',
  'loadTokenizer',
  'loadTokenizerTask',
]

test('the list of functions with options is complete', () => {
  const named = new Set([...all.map(({ name }) => name.split('.')[1]), ...elsewhere])
  const found = entries()
    .flatMap(exportsOf)
    .filter(({ kind, name, file }) => {
      const text = readFileSync(join(root, file), 'utf8')
      const head =
        new RegExp(`^export (?:async )?(?:const|function\\*?) ${name}\\b[\\s\\S]*?(?:=> |\\n\\n)`, 'm').exec(
          text,
        )?.[0] ?? ''
      return kind === 'value' && /\boptions\??: /.test(head)
    })
    .map(({ name }) => name)
  expect(found.length).toBeGreaterThan(40)
  expect([...new Set(found)].filter((name) => !named.has(name))).toEqual([])
})
