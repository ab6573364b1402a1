/** Data as a text and back: nothing that JSON would change is changed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataOfText, textOfData } from '../../src/compile/plan-text.ts'

describe('textOfData', () => {
  it('is read back as it was, on one line', () => {
    const data = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.double(),
        fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        fc.boolean(),
        fc.constant(null),
        fc.string({ unit: 'binary' }),
        fc.float32Array(),
        fc.array(tie('tree'), { maxLength: 8 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'values', 'absent')), tie('tree'), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
      ),
    })).tree
    fc.assert(
      fc.property(data, (value) => {
        const text = textOfData(value)
        expect(text).not.toContain('\n')
        expect(dataOfText(text)).toEqual(value)
        expect(textOfData(dataOfText(text))).toBe(text)
      }),
      { seed: 42, numRuns: 1000 },
    )
  })

  it.each([
    [{ $: 'NaN' }],
    [{ $: 'entries', values: [] }],
    [{ $: { $: 1 }, a: -0 }],
    [[{ $: 'Float32Array', values: [1] }]],
  ])('a record that looks like a mark is a record: %j', (value) => {
    expect(dataOfText(textOfData(value))).toStrictEqual(value)
  })
})
