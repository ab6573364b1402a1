/** Data printed as JavaScript is the same data when the language reads it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printKey, printLiteral } from '../../../../codegen/export/aot/javascript-literal.ts'

/** What JavaScript makes of the text. Tests may evaluate; emitted modules never do. */
const read = (text: string): Promise<unknown> =>
  import(`data:text/javascript,${encodeURIComponent(`export default (${text})`)}`).then(
    (m: { default: unknown }) => m.default,
  )

describe('printLiteral', () => {
  it.each<[unknown, string]>([
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [3.4028234663852886e38, '3.4028234663852886e+38'],
    [5e-324, '5e-324'],
    ['a"b', '"a\\"b"'],
    ['a\nb', '`a\nb`'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what must not be read as one
    ['`\n${x}\\', '`\\`\n\\${x}\\\\`'],
    [{ a: 1, 'b-c': [true, null], d: undefined }, '{ a: 1, "b-c": [true, null] }'],
    [[], '[]'],
    [{}, '{}'],
  ])('%j', (value, text) => {
    expect(printLiteral(value)).toBe(text)
  })

  it('is read back as it was', async () => {
    const data = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.string({ unit: 'binary' }),
        fc.array(fc.constantFrom('`', '$', '{', '\\', '\n', '\r', '\u2028', 'x')).map((c) => c.join('')),
        fc.array(tie('tree'), { maxLength: 12 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('tree'), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
      ),
    })).tree
    const samples = fc.sample(data, { seed: 42, numRuns: 500 })
    const back = (await read(`[${samples.map((x) => printLiteral(x)).join(', ')}]`)) as readonly unknown[]
    samples.forEach((value, i) => {
      expect(back[i]).toEqual(value)
    })
  })

  it('breaks long lists and records into lines', () => {
    const rows = Array.from({ length: 40 }, (_, i) => i * 1000)
    expect(printLiteral({ rows }).split('\n')).toHaveLength(44)
  })

  it('quotes keys only where the language asks for it', () => {
    expect(['a', '$1', '1', 'a.b', '__proto__'].map(printKey)).toEqual(['a', '$1', '"1"', '"a.b"', '["__proto__"]'])
  })
})
