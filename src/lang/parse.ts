/** Reads the text form of graphs that `print/graph-text.ts` writes. What `infer` says of each node must agree with the text. */
import * as E from '#fp/Either'
import { constant, freshInputs, make } from './build.ts'
import { type DType, dtypes } from './dtype.ts'
import { showError, showOperand, type UsageError } from './errors.ts'
import type { Graph, Node, Op, ParamsOf, TensorType } from './ir.ts'
import { primitives } from './ops/primitive-table.ts'
import { closeGraph } from './trace.ts'

/** A mistake in the text, thrown inside this file alone and turned into Left at its edge. */
class Unreadable extends Error {}

const fail = (line: number, what: string): never => {
  throw new Unreadable(`line ${line + 1}: ${what}`)
}

/** The text of one line and how far it is read. */
interface Cursor {
  readonly text: string
  readonly line: number
  at: number
}

const skip = (c: Cursor): void => {
  while (c.text[c.at] === ' ') c.at++
}

const accept = (c: Cursor, token: string): boolean => {
  skip(c)
  const found = c.text.startsWith(token, c.at)
  if (found) c.at += token.length
  return found
}

const expect = (c: Cursor, token: string): void => {
  if (!accept(c, token)) fail(c.line, `expected '${token}' at column ${c.at + 1}`)
}

const match = (c: Cursor, pattern: RegExp, what: string): string => {
  skip(c)
  const sticky = new RegExp(pattern.source, 'y')
  sticky.lastIndex = c.at
  const found = sticky.exec(c.text)
  if (!found) return fail(c.line, `expected ${what} at column ${c.at + 1}`)
  c.at += found[0].length
  return found[0]
}

/** Items between `open` and `close`, separated by commas. */
const list = <A>(c: Cursor, open: string, close: string, item: () => A): readonly A[] => {
  expect(c, open)
  const out: A[] = []
  if (accept(c, close)) return out
  do out.push(item())
  while (accept(c, ','))
  expect(c, close)
  return out
}

const number = /-?(?:Infinity|NaN|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/

const data = (c: Cursor): unknown => {
  skip(c)
  const next = c.text[c.at]
  if (next === '[') return list(c, '[', ']', () => data(c))
  if (next === '{') return Object.fromEntries(list(c, '{', '}', () => field(c)))
  if (accept(c, 'true')) return true
  if (accept(c, 'false')) return false
  if (accept(c, 'graph')) return inlineGraph(c)
  if (next === '"') return JSON.parse(match(c, /"(?:[^"\\]|\\.)*"/, 'a string'))
  return Number(match(c, number, 'a value'))
}

const field = (c: Cursor): readonly [string, unknown] => {
  const key = match(c, /\w+/, 'a key')
  expect(c, ':')
  return [key, data(c)]
}

const tensorType = (c: Cursor): TensorType => {
  const dtype = match(c, /[a-z]+\d*/, 'a dtype')
  if (!(dtypes as readonly string[]).includes(dtype)) fail(c.line, `'${dtype}' is not a dtype`)
  return { shape: list(c, '[', ']', () => Number(match(c, /\d+/, 'a size'))), dtype: dtype as DType }
}

const outputTypes = (c: Cursor): readonly TensorType[] => {
  skip(c)
  return c.text[c.at] === '(' ? list(c, '(', ')', () => tensorType(c)) : [tensorType(c)]
}

const name = (c: Cursor): string => match(c, /%\d+/, "a name such as '%3'")

const atEnd = (c: Cursor): void => {
  skip(c)
  if (c.at < c.text.length) fail(c.line, `unexpected '${c.text.slice(c.at, c.at + 20)}'`)
}

const lookUp = (c: Cursor, names: ReadonlyMap<string, Node>): Node => {
  const n = name(c)
  return names.get(n) ?? fail(c.line, `${n} is not defined above`)
}

const same = (a: readonly TensorType[], b: readonly TensorType[]): boolean =>
  a.map(showOperand).join() === b.map(showOperand).join()

/** `(inputs) {`: fresh inputs and their names. */
const header = (c: Cursor): { readonly inputs: Graph['inputs']; readonly names: Map<string, Node> } => {
  const given = list(c, '(', ')', () => {
    const n = name(c)
    expect(c, ':')
    return [n, tensorType(c)] as const
  })
  expect(c, '{')
  const inputs = freshInputs(given.map(([, type]) => type))
  return { inputs, names: new Map<string, Node>(given.map(([n], i) => [n, inputs[i]!])) }
}

/** `%2 = op(…)…: type`, put into `names`. */
const definition = (c: Cursor, names: Map<string, Node>): void => {
  const n = name(c)
  if (names.has(n)) fail(c.line, `${n} is defined twice`)
  expect(c, '=')
  names.set(n, node(c, names))
}

/** What follows `return`, up to the end of the line or the closing brace. */
const returned = (c: Cursor, names: ReadonlyMap<string, Node>): readonly Node[] => {
  skip(c)
  const outputs = c.at === c.text.length || c.text[c.at] === '}' ? [] : [lookUp(c, names)]
  while (accept(c, ',')) outputs.push(lookUp(c, names))
  return outputs
}

/** A closed graph among parameters, its statements separated by semicolons. */
const inlineGraph = (c: Cursor): Graph => {
  const { inputs, names } = header(c)
  while (!accept(c, 'return')) {
    definition(c, names)
    expect(c, ';')
  }
  const outputs = returned(c, names)
  expect(c, '}')
  const { graph, captured } = closeGraph({ inputs, outputs })
  if (captured.length > 0) fail(c.line, 'the graph is not closed')
  return graph
}

const node = (c: Cursor, names: ReadonlyMap<string, Node>): Node => {
  const op = match(c, /\w+/, 'an operation')
  if (!Object.hasOwn(primitives, op)) fail(c.line, `there is no operation '${op}'`)
  const args = list(c, '(', ')', () => lookUp(c, names))
  skip(c)
  const params = c.text[c.at] === '{' ? data(c) : {}
  expect(c, ':')
  const types = outputTypes(c)
  const made = made1(op as Op, args, params as Record<string, unknown>)
  if (E.isLeft(made.type)) return fail(c.line, showError(made.type.left))
  if (!same(made.type.right, types)) fail(c.line, `${op} gives ${made.type.right.map(showOperand).join(', ')} here`)
  return made
}

const made1 = (op: Op, args: readonly Node[], params: Record<string, unknown>): Node =>
  op === 'data'
    ? constant(
        { shape: params['shape'] as readonly number[], dtype: params['dtype'] as DType },
        params['payload'] as readonly number[],
      )
    : make(op, args, params as unknown as ParamsOf[Op])

const read = (text: string): Graph => {
  const lines = text.split('\n').map((t, line): Cursor => ({ text: t, line, at: 0 }))
  const rows = lines.filter((c) => c.text.trim() !== '')
  const [head, ...body] = rows
  if (!head) return fail(0, 'the text is empty')
  expect(head, 'graph')
  const { inputs, names } = header(head)
  atEnd(head)
  for (const [i, c] of body.entries()) {
    if (accept(c, 'return')) {
      const outputs = returned(c, names)
      atEnd(c)
      const end = body[i + 1] ?? fail(c.line, "expected '}' below")
      expect(end, '}')
      atEnd(end)
      if (body.length > i + 2) fail(body[i + 2]!.line, 'unexpected text after the graph')
      return { inputs, outputs }
    }
    definition(c, names)
    atEnd(c)
  }
  return fail(lines.length - 1, "there is no 'return'")
}

/** The graph that the text describes, on fresh inputs; Left says the line and what is wrong there. */
export const parseGraph = (text: string): E.Either<UsageError, Graph> => {
  try {
    return E.right(read(text))
  } catch (e) {
    if (!(e instanceof Unreadable)) throw e
    return E.left({
      tag: 'UsageError',
      message: `parseGraph: ${e.message}`,
      hint: 'compare with what showGraph writes for a graph of T.add',
    })
  }
}
